package pool

import (
	"context"
	"slices"
)

// Traces joins traces into one, so that several can watch a pool. They nest:
// the start functions are called in order, each with the context that the one
// before it returned, and the done functions in reverse, each with the context
// that its own start function returned, as if there were no others. The rest
// are called in order. If one panics, those after it are not told.
func Traces(traces ...Trace) Trace {
	nest := func(of func(*Trace) nested) (startFunc, doneFunc) {
		var all nest
		for i := range traces {
			if n := of(&traces[i]); n.start != nil || n.done != nil {
				all = append(all, n)
			}
		}
		return all.join()
	}
	var t Trace
	t.AcquireStart, t.AcquireDone = nest(func(t *Trace) nested { return nested{t.AcquireStart, t.AcquireDone} })
	t.WaitStart, t.WaitDone = nest(func(t *Trace) nested { return nested{t.WaitStart, t.WaitDone} })
	t.BuildStart, t.BuildDone = nest(func(t *Trace) nested { return nested{t.BuildStart, t.BuildDone} })
	t.CheckStart, t.CheckDone = nest(func(t *Trace) nested { return nested{t.CheckStart, t.CheckDone} })
	t.PrepareStart, t.PrepareDone = nest(func(t *Trace) nested { return nested{t.PrepareStart, t.PrepareDone} })
	t.ResetStart, t.ResetDone = nest(func(t *Trace) nested { return nested{t.ResetStart, t.ResetDone} })
	t.DestroyStart, t.DestroyDone = nest(func(t *Trace) nested { return nested{t.DestroyStart, t.DestroyDone} })
	for _, one := range traces {
		t.Release = inTurn(t.Release, one.Release)
		t.Revoke = inTurn(t.Revoke, one.Revoke)
		t.Leak = inTurn(t.Leak, one.Leak)
		t.Nested = inTurn(t.Nested, one.Nested)
	}
	return t
}

// inTurn calls one function after the other; either may be nil.
func inTurn[E any](first, second func(E)) func(E) {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(e E) {
		first(e)
		second(e)
	}
}

type (
	startFunc = func(context.Context, Event) context.Context
	doneFunc  = func(context.Context, Event)
)

// nested is what one trace wants to know about a thing that takes time.
type nested struct {
	start startFunc
	done  doneFunc
}

// A nest is what several want to know about it, the outermost first.
type nest []nested

// A nestContext is the context of the innermost, and remembers those of all.
type nestContext struct {
	context.Context
	of   *nested // identifies the nest
	each []context.Context
}

func (n nest) join() (startFunc, doneFunc) {
	if len(n) == 0 {
		return nil, nil
	}
	if len(n) == 1 {
		return n[0].start, n[0].done
	}
	starts, dones := false, false
	for _, one := range n {
		starts = starts || one.start != nil
		dones = dones || one.done != nil
	}
	switch {
	case !starts:
		return nil, n.done
	case !dones:
		return n.start, nil
	}
	return n.start, n.done
}

func (n nest) start(ctx context.Context, e Event) context.Context {
	var each []context.Context // nil as long as that is ctx for all
	for i, one := range n {
		if one.start == nil {
			continue
		}
		own := one.start(ctx, e)
		if own == nil {
			continue
		}
		if each == nil {
			each = slices.Repeat([]context.Context{ctx}, len(n))
		}
		ctx = own
		for j := i; j < len(n); j++ {
			each[j] = ctx
		}
	}
	if each == nil {
		return nil
	}
	return &nestContext{ctx, &n[0], each}
}

func (n nest) done(ctx context.Context, e Event) {
	each, _ := ctx.(*nestContext)
	if each != nil && each.of != &n[0] {
		each = nil // of something else that goes on around this
	}
	for i := len(n) - 1; i >= 0; i-- {
		if n[i].done == nil {
			continue
		}
		if each != nil {
			ctx = each.each[i]
		}
		n[i].done(ctx, e)
	}
}
