package pool

import (
	"context"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// Trace is a set of functions that are told what the pool does; any may be nil.
// They are called outside all locks. The Start ones may return a context, which
// the matching Done and the code in between get. A panic in one is logged. What
// they are about waits for them, but for the last three.
//
// Those of Acquire, Wait and Release are called in the caller's goroutine, and
// runtime.Goexit in one ends that; the resource goes to the next.
type Trace struct {
	// An Acquire. Took is the whole call. AcquireDone costs each two readings of
	// the clock.
	AcquireStart func(ctx context.Context, e Event) context.Context
	AcquireDone  func(ctx context.Context, e Event)

	// An Acquire that does not find a resource at once: it has to wait, or
	// fails without, such as when the queue is full. Took is the wait, without
	// the Check and Prepare that may follow; if these find the resource unfit,
	// and the caller has to wait for another, that is told too. An Acquire
	// that is served at once costs nothing.
	WaitStart func(ctx context.Context, e Event) context.Context
	WaitDone  func(ctx context.Context, e Event)

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

	// A lease that its holder has ended, before the resource is passed on. Took
	// is how long it lasted, which costs each two readings of the clock.
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

// A span is one thing that the pool does and that takes time, as a Trace sees it.
type span struct {
	ctx   context.Context
	done  func(context.Context, Event)
	event Event
	start time.Time
}

// span tells start, and returns what to tell when it is over.
func (p *Pool[T]) span(ctx context.Context, start func(context.Context, Event) context.Context, done func(context.Context, Event), e Event) span {
	s := span{ctx: ctx, done: done, event: e}
	if done != nil {
		s.start = time.Now()
	}
	if start != nil {
		p.guard("Trace", func() {
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
	p.guard("Trace", func() { s.done(s.ctx, s.event) })
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

// started tells start of what a caller does, in its goroutine, and returns the
// context to go on with.
func (r *reports) started(ctx context.Context, start func(context.Context, Event) context.Context, e Event) (own context.Context) {
	own = ctx
	if start == nil {
		return own
	}
	defer r.recovered("Trace")
	if c := start(ctx, e); c != nil {
		own = c
	}
	return own
}

// done is the same at the end.
func (r *reports) done(ctx context.Context, done func(context.Context, Event), e Event) {
	if done == nil {
		return
	}
	defer r.recovered("Trace")
	done(ctx, e)
}

// recovered is to be deferred by what calls code of the user in the caller's
// goroutine: it ends a panic, and logs it.
func (r *reports) recovered(what string) {
	if v := recover(); v != nil {
		r.log("hook failed", "hook", what, "error", newPanicError(what, v))
	}
}

// witness tells the Trace of the pool what its line tells of waits.
type witness[T any] struct{ p *Pool[T] }

func (w witness[T]) Waits(ctx context.Context, tenant string) context.Context {
	return w.p.reports.started(ctx, w.p.config.Trace.WaitStart, Event{Tenant: tenant})
}

func (w witness[T]) Waited(ctx context.Context, tenant string, took time.Duration, g fairshare.Grant, err error) {
	e := Event{Tenant: tenant, Took: took, Err: err}
	if s := w.p.owner(g); s != nil {
		e.Resource = s.number
	}
	w.p.reports.done(ctx, w.p.config.Trace.WaitDone, e)
}
