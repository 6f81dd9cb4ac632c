package pool_test

import (
	"context"
	"runtime"
	"time"

	"github.com/fairpool/fairpool/pool"
)

// A tally is what the Trace of a world has told of the work under way.
type tally struct {
	hooks     int // Checks before a lease and Prepares
	handing   int // leases in WaitDone or AcquireDone
	returning int // leases in Release
	sleeping  int // functions of the Trace that take their time, or wait in Close
	dying     map[uint64]death
}

// A death is a destructor that runs.
type death struct {
	why   pool.Retirement
	since time.Time
}

// trace sets every function. They count, and then misbehave; those that tell
// what a tenant is charged for take no time.
func (w *world) trace(t *pool.Trace) {
	start := func(sleepy bool, count func(pool.Event)) func(context.Context, pool.Event) context.Context {
		return func(ctx context.Context, e pool.Event) context.Context {
			w.count(count, e)
			w.noise(sleepy, e.Resource > 0)
			if e.Resource%2 == 1 {
				return nil
			}
			type key struct{}
			return context.WithValue(ctx, key{}, e)
		}
	}
	done := func(sleepy bool, count func(pool.Event)) func(context.Context, pool.Event) {
		return func(_ context.Context, e pool.Event) {
			w.count(count, e)
			w.noise(sleepy, e.Resource > 0)
		}
	}
	hooks := func(n int) func(pool.Event) {
		return func(e pool.Event) {
			if e.Tenant != "" { // else it is a KeepAlive
				w.tally.hooks += n
			}
		}
	}
	handed := func(_ context.Context, e pool.Event) {
		if e.Err == nil {
			w.count(func(pool.Event) { w.tally.handing++ }, e)
			defer w.count(func(pool.Event) { w.tally.handing-- }, e)
		}
		w.noise(true, false)
	}
	t.AcquireStart, t.AcquireDone = start(true, nil), handed
	t.WaitStart, t.WaitDone = start(true, nil), handed
	t.BuildStart, t.BuildDone = start(true, nil), done(true, nil)
	t.CheckStart, t.CheckDone = start(false, hooks(1)), done(false, hooks(-1))
	t.PrepareStart, t.PrepareDone = start(false, hooks(1)), done(false, hooks(-1))
	t.ResetStart, t.ResetDone = start(true, nil), done(true, nil)
	t.DestroyStart = start(false, func(e pool.Event) { w.tally.dying[e.Resource] = death{e.Retired, time.Now()} })
	t.DestroyDone = done(false, func(e pool.Event) { delete(w.tally.dying, e.Resource) })
	t.Release = func(e pool.Event) {
		w.count(func(pool.Event) { w.tally.returning++ }, e)
		defer w.count(func(pool.Event) { w.tally.returning-- }, e)
		w.noise(true, false)
	}
	t.Revoke = func(pool.Event) { w.noise(true, true) }
	t.Leak = func(pool.Leak) { w.noise(true, true) }
	t.Nested = func(pool.Event) { w.noise(true, true) }
}

func (w *world) count(count func(pool.Event), e pool.Event) {
	if count != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		count(e)
	}
}

// noise is how a function of the Trace misbehaves. own says that the goroutine
// is the pool's.
func (w *world) noise(sleepy, own bool) {
	if w.calm.Load() {
		return
	}
	r := w.roll()
	if r.Float64() >= w.faults["trace"]/4 {
		return
	}
	w.hooks.Add(1)
	defer w.hooks.Add(-1)
	switch r.IntN(4) {
	case 0:
		panic("the trace broke")
	case 3:
		if own { // else it ends the goroutine of a caller
			runtime.Goexit()
		}
	case 1:
		defer w.sleeps()()
		w.callBack(r, false)
	case 2:
		if sleepy {
			defer w.sleeps()()
			time.Sleep(time.Duration(r.Int64N(int64(w.delay))))
		}
	}
}

// sleeps counts a function that may take its time, until what it returns is
// called.
func (w *world) sleeps() (over func()) {
	w.count(func(pool.Event) { w.tally.sleeping++ }, pool.Event{})
	return func() { w.count(func(pool.Event) { w.tally.sleeping-- }, pool.Event{}) }
}
