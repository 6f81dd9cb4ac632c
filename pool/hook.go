package pool

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// A hook is a call of Check, Prepare or Reset, with its timeout and its trace.
type hook struct {
	what        string
	timeout     time.Duration
	start       func(context.Context, Event) context.Context
	done        func(context.Context, Event)
	fails       *uint64 // counted here, under the lock
	description Event
	call        func(context.Context) error
	inline      bool // it runs in the caller's goroutine, and may end with its context
}

// graceOfHooks is what a hook whose context has ended has left to return. One
// that does not is left behind.
const graceOfHooks = 100 * time.Millisecond

// run calls a hook, in the goroutine in which it is called itself. over is called
// once, when the hook has returned, in whatever way, or outlasts its context.
func (p *Pool[T]) run(ctx context.Context, h hook, over func(error)) {
	traced := p.span(ctx, h.start, h.done, h.description)
	ctx, cancel := p.bounded(traced.ctx, h)
	var ended atomic.Bool
	end := func(err error) {
		if !ended.CompareAndSwap(false, true) {
			return
		}
		cancel()
		p.end(traced, err)
		if err != nil {
			p.line.Lock()
			*h.fails++
			p.line.Unlock()
		}
		over(err)
	}
	unwatch := context.AfterFunc(ctx, func() {
		time.AfterFunc(graceOfHooks, func() {
			end(fmt.Errorf("pool: %s did not return within %v: %w", h.what, h.timeout, ctx.Err()))
		})
	})
	shielded(h.what, func() error { return h.call(ctx) }, func(err error) {
		unwatch()
		end(err)
	})
}

// bounded returns the context of a hook, which carries the values of ctx and ends
// with the hook's timeout or the pool; with ctx too only if the hook is inline.
func (p *Pool[T]) bounded(ctx context.Context, h hook) (context.Context, context.CancelFunc) {
	if !h.inline {
		return context.WithTimeout(detached{p.ctx, ctx}, h.timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	unwatch := context.AfterFunc(p.ctx, cancel)
	return ctx, func() {
		unwatch()
		cancel()
	}
}

// A task is a hook that somebody waits for. It runs in a goroutine of its own.
type task chan error

func (p *Pool[T]) begin(ctx context.Context, h hook) task {
	t := make(task, 1)
	go p.run(ctx, h, func(err error) { t <- err })
	return t
}

// wait waits until the hook returns, or outlasts its context.
func (t task) wait() error { return <-t }

// waitFor is wait for a caller that may give up, which it reports: then
// somebody else has to wait.
func (t task) waitFor(caller context.Context) (err error, gaveUp bool) {
	select {
	case err = <-t:
		return err, false
	case <-caller.Done():
		return nil, true
	}
}

// detached is a context that ends with one and has the values of another.
type detached struct {
	context.Context
	values context.Context
}

func (d detached) Value(key any) any {
	if v := d.Context.Value(key); v != nil { // first, for package context asks it for itself
		return v
	}
	return d.values.Value(key)
}

func (p *Pool[T]) check(s *slot[T], tenant string) hook {
	return hook{
		"Check", p.config.Health.CheckTimeout, p.config.Trace.CheckStart, p.config.Trace.CheckDone,
		&p.checkFailures, Event{Tenant: tenant, Resource: s.number},
		func(ctx context.Context) error { return p.config.Health.Check(ctx, s.value) }, false,
	}
}

func (p *Pool[T]) prepare(s *slot[T], h Handover) hook {
	return hook{
		"Prepare", p.config.Tenancy.PrepareTimeout, p.config.Trace.PrepareStart, p.config.Trace.PrepareDone,
		&p.prepareFailures, Event{Tenant: h.Tenant, Resource: s.number},
		func(ctx context.Context) error {
			err := p.config.Tenancy.Prepare(ctx, s.value, h)
			if err == nil { // a grant that came to nothing before this one does not count
				s.prepared, s.previous = true, h.Tenant
			}
			return err
		}, p.config.Tenancy.PrepareInline,
	}
}

func (p *Pool[T]) reset(s *slot[T], tenant string) hook {
	return hook{
		"Reset", p.config.Tenancy.ResetTimeout, p.config.Trace.ResetStart, p.config.Trace.ResetDone,
		&p.resetFailures, Event{Tenant: tenant, Resource: s.number},
		func(ctx context.Context) error { return p.config.Tenancy.Reset(ctx, s.value) }, false,
	}
}
