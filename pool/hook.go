package pool

import (
	"context"
	"fmt"
	"time"
)

// A task is a call of Check, Prepare or Reset. It runs in a goroutine of its
// own, on a context that carries the values of the caller's but ends with the
// hook's timeout or the pool.
type task struct {
	what    string
	timeout time.Duration
	ctx     context.Context
	over    <-chan error
	end     func(error)
}

// graceOfHooks is what a hook whose context has ended has left to return. One
// that does not is left behind.
const graceOfHooks = 100 * time.Millisecond

// A hook is one of them, with its timeout and its trace.
type hook struct {
	what        string
	timeout     time.Duration
	start       func(context.Context, Event) context.Context
	done        func(context.Context, Event)
	fails       *uint64 // counted here, under the lock
	description Event
}

func (p *Pool[T]) begin(ctx context.Context, h hook, fn func(context.Context) error) *task {
	traced := p.span(ctx, h.start, h.done, h.description)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(traced.ctx), h.timeout)
	stop := context.AfterFunc(p.ctx, cancel)
	return &task{
		what: h.what, timeout: h.timeout, ctx: ctx,
		over: protected(h.what, func() error { return fn(ctx) }),
		end: func(err error) {
			stop()
			cancel()
			p.end(traced, err)
			if err != nil {
				p.line.Lock()
				*h.fails++
				p.line.Unlock()
			}
		},
	}
}

// wait waits until the hook returns, or outlasts its context.
func (t *task) wait() error {
	err, _ := t.waitFor(context.Background())
	return err
}

// waitFor is wait for a caller that may give up, which it reports: then
// somebody else has to wait.
func (t *task) waitFor(caller context.Context) (err error, gaveUp bool) {
	select {
	case err = <-t.over:
	case <-t.ctx.Done():
		if err, gaveUp = t.outlast(caller); gaveUp {
			return nil, true
		}
	case <-caller.Done():
		return nil, true
	}
	t.end(err)
	return err, false
}

func (t *task) outlast(caller context.Context) (err error, gaveUp bool) {
	last := time.NewTimer(graceOfHooks)
	defer last.Stop()
	select {
	case err = <-t.over:
		return err, false
	case <-caller.Done():
		return nil, true
	case <-last.C:
		return fmt.Errorf("pool: %s did not return within %v: %w", t.what, t.timeout, t.ctx.Err()), false
	}
}

func (p *Pool[T]) check(ctx context.Context, s *slot[T], tenant string) *task {
	return p.begin(ctx, hook{
		"Check", p.config.Health.CheckTimeout, p.config.Trace.CheckStart, p.config.Trace.CheckDone,
		&p.checkFailures, Event{Tenant: tenant, Resource: s.number},
	}, func(ctx context.Context) error { return p.config.Health.Check(ctx, s.value) })
}

func (p *Pool[T]) prepare(ctx context.Context, s *slot[T], h Handover) *task {
	return p.begin(ctx, hook{
		"Prepare", p.config.Tenancy.PrepareTimeout, p.config.Trace.PrepareStart, p.config.Trace.PrepareDone,
		&p.prepareFailures, Event{Tenant: h.Tenant, Resource: s.number},
	}, func(ctx context.Context) error {
		err := p.config.Tenancy.Prepare(ctx, s.value, h)
		if err == nil { // a grant that came to nothing before this one does not count
			s.prepared, s.previous = true, h.Tenant
		}
		return err
	})
}

func (p *Pool[T]) reset(s *slot[T], tenant string) *task {
	return p.begin(p.ctx, hook{
		"Reset", p.config.Tenancy.ResetTimeout, p.config.Trace.ResetStart, p.config.Trace.ResetDone,
		&p.resetFailures, Event{Tenant: tenant, Resource: s.number},
	}, func(ctx context.Context) error { return p.config.Tenancy.Reset(ctx, s.value) })
}
