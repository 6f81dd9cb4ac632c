package pool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A hookKind is one of the hooks that a pool calls for a resource.
type hookKind int

const (
	checking hookKind = iota
	preparing
	resetting
	hookKinds
)

// A hook is what the configuration says of one kind.
type hook struct {
	what     string
	timeout  time.Duration
	start    startFunc
	done     doneFunc
	failures uint64 // since the start; guarded by the line
}

func (c *Config[T]) hooks() [hookKinds]hook {
	return [...]hook{
		checking:  {"Check", c.Health.CheckTimeout, c.Trace.CheckStart, c.Trace.CheckDone, 0},
		preparing: {"Prepare", c.Tenancy.PrepareTimeout, c.Trace.PrepareStart, c.Trace.PrepareDone, 0},
		resetting: {"Reset", c.Tenancy.ResetTimeout, c.Trace.ResetStart, c.Trace.ResetDone, 0},
	}
}

// A call is one call of a hook for the resource of a slot. It is the context
// that the hook gets, and the record of how the call ended, all in one.
type call[T any] struct {
	hookContext
	pool   *Pool[T]
	slot   *slot[T]
	kind   hookKind
	to     Handover   // of a Prepare; of the others only the tenant
	traced *span      // nil: nobody is told
	result chan error // receives the outcome; nil for Reset and for an inline call

	ended bool // with err, guarded by mu of the hookContext
	err   error

	due          time.Time // when the watchdog ends the call
	newer, older *call[T]  // of the watchdog
	watched      bool
}

// newCall returns a call that has the values of ctx, and ends with its timeout
// and with the pool. An inline call ends with ctx too.
func (p *Pool[T]) newCall(ctx context.Context, kind hookKind, s *slot[T], to Handover) *call[T] {
	c := &call[T]{pool: p, slot: s, kind: kind, to: to}
	c.life, c.caller = p.ctx, ctx
	return c
}

// begin runs the call in a goroutine of its own.
func (c *call[T]) begin() *call[T] {
	c.result = make(chan error, 1)
	go c.run()
	return c
}

// runInline runs the call in the caller's goroutine and returns its outcome.
func (c *call[T]) runInline() error {
	c.inline = true
	c.run()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *call[T]) run() {
	h := &c.pool.hooks[c.kind]
	if h.start != nil || h.done != nil {
		s := c.pool.span(c.caller, h.start, h.done, Event{Tenant: c.to.Tenant, Resource: c.slot.number})
		c.traced, c.caller = &s, s.ctx
	}
	c.deadline = time.Now().Add(h.timeout)
	c.due = c.deadline
	if c.inline {
		c.due, _ = c.Deadline()
	}
	c.due = c.due.Add(graceOfHooks)
	c.pool.watchdog.watch(c)
	shielded(h.what, c.do, c.returned)
}

// do calls the function of the configuration.
func (c *call[T]) do() error {
	config, value := &c.pool.config, c.slot.value
	switch c.kind {
	case checking:
		return config.Health.Check(c, value)
	case resetting:
		return config.Tenancy.Reset(c, value)
	}
	err := config.Tenancy.Prepare(c, value, c.to)
	if err == nil { // a grant that came to nothing before this one does not count
		c.slot.prepared, c.slot.previous = true, c.to.Tenant
	}
	return err
}

func (c *call[T]) returned(err error) {
	c.pool.watchdog.forget(c)
	if ofContext(err) { // else the context need not become a real one
		h := &c.pool.hooks[c.kind]
		err = ownError(c.makeReal(), err, ErrHookTimeout, h.what, h.timeout)
	}
	c.end(err)
}

// outlasted ends a call whose hook did not return in time. The hook is left
// behind.
func (c *call[T]) outlasted() {
	h := &c.pool.hooks[c.kind]
	if ended := c.makeReal(); errors.Is(context.Cause(ended), ErrHookTimeout) {
		c.end(&contextEnded{nil, ErrHookTimeout, h.what, h.timeout})
	} else {
		c.end(fmt.Errorf("pool: %s did not return although its context had ended: %w", h.what, ended.Err()))
	}
}

// end ends the call, unless it has ended before.
func (c *call[T]) end(err error) {
	p := c.pool
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended, c.err = true, err
	c.mu.Unlock()
	c.hookContext.end()
	if c.traced != nil {
		p.end(*c.traced, err)
	}
	if err != nil {
		p.line.Lock()
		p.hooks[c.kind].failures++
		p.line.Unlock()
	}
	switch {
	case c.result != nil:
		c.result <- err // buffered: never blocks
	case c.kind == resetting:
		p.cleaned(c.slot, err)
	}
}
