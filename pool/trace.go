package pool

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// Trace is a set of functions that are told what the pool does; any may be nil.
// They are called outside all locks. The Start ones may return a context, which
// the matching Done and the code in between get. A panic in one is logged. What
// they are about waits for them, but for the last three.
type Trace struct {
	// An Acquire, in the caller's goroutine. Took is the whole call.
	AcquireStart func(ctx context.Context, e Event) context.Context
	AcquireDone  func(ctx context.Context, e Event)

	// A call of the Constructor, Check, Prepare, Reset or Destructor.
	BuildStart   func(ctx context.Context, e Event) context.Context
	BuildDone    func(ctx context.Context, e Event)
	CheckStart   func(ctx context.Context, e Event) context.Context
	CheckDone    func(ctx context.Context, e Event)
	PrepareStart func(ctx context.Context, e Event) context.Context
	PrepareDone  func(ctx context.Context, e Event)
	ResetStart   func(ctx context.Context, e Event) context.Context
	ResetDone    func(ctx context.Context, e Event)
	DestroyStart func(ctx context.Context, e Event) context.Context
	DestroyDone  func(ctx context.Context, e Event)

	// The end of a lease by its holder, before the resource is passed on. Took
	// is how long it lasted.
	Release func(e Event)

	// A lease is asked back, Err says why; the holder of one is reported; a
	// caller is about to wait for itself. Each from a goroutine of its own, one
	// after the other.
	Revoke func(e Event)
	Leak   func(l Leak)
	Nested func(e Event)
}

// An Event is what a Trace is told. What does not apply is zero.
type Event struct {
	Tenant   string
	Resource uint64 // its number: they are counted from 1 as they are built
	Took     time.Duration
	Err      error
	Retired  Retirement // of Destroy: why
}

// A span is one thing that takes time, as a Trace sees it.
type span struct {
	ctx   context.Context
	done  func(context.Context, Event)
	guard func(what string, fn func())
	event Event
	start time.Time
}

// span tells start, and returns what to tell when it is over.
func (p *Pool[T]) span(ctx context.Context, start func(context.Context, Event) context.Context, done func(context.Context, Event), e Event) span {
	s := span{ctx: ctx, done: done, guard: p.guard, event: e}
	if e.Resource == 0 {
		s.guard = p.guardHere // an Acquire
	}
	if done != nil {
		s.start = time.Now()
	}
	if start != nil {
		s.guard("Trace", func() {
			if own := start(ctx, e); own != nil {
				s.ctx = own
			}
		})
	}
	return s
}

func (p *Pool[T]) end(s span, err error) {
	if s.done == nil {
		return
	}
	s.event.Took, s.event.Err = time.Since(s.start), err
	s.guard("Trace", func() { s.done(s.ctx, s.event) })
}

// guard calls code of the user in a goroutine of its own, waits for it and logs
// a panic or runtime.Goexit, neither of which may keep the caller from going on.
func (p *Pool[T]) guard(what string, fn func()) {
	err := protect(what, func() error {
		fn()
		return nil
	})
	if err != nil {
		p.reports.log("hook failed", "hook", what, "error", err)
	}
}

// guardHere is guard in the caller's goroutine, which runtime.Goexit ends.
func (p *Pool[T]) guardHere(what string, fn func()) {
	defer func() {
		if v := recover(); v != nil {
			p.reports.log("hook failed", "hook", what, "error", fmt.Errorf("pool: %s panicked: %v\n%s", what, v, debug.Stack()))
		}
	}()
	fn()
}
