package tracefair

import (
	"context"
	"runtime/trace"
	"strconv"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/fairpool/fairpool/pool"
)

// Trace returns what has each build, check, prepare, reset and destroy, and the
// wait of each Acquire that is not served at once, be a task, as in fairpool.wait,
// while tracing is on or a flight recorder runs. A wait is a region in its
// goroutine too. The tenant, the number of the resource and the error are logged.
// The hooks of the pool get the task in their context, so that regions of theirs
// belong to it.
//
// It costs an Acquire that is served at once nothing. pool.Traces joins it with
// others.
func Trace() (t pool.Trace) {
	t.WaitStart, t.WaitDone = task("fairpool.wait", "fairpool.wait")
	t.BuildStart, t.BuildDone = task("fairpool.build", "")
	t.CheckStart, t.CheckDone = task("fairpool.check", "")
	t.PrepareStart, t.PrepareDone = task("fairpool.prepare", "")
	t.ResetStart, t.ResetDone = task("fairpool.reset", "")
	t.DestroyStart, t.DestroyDone = task("fairpool.destroy", "")
	return t
}

// EachAcquire is Trace, with a task and a region fairpool.acquire around each
// Acquire, also one that is served at once. While tracing is off each costs two
// readings of the clock and the calls.
func EachAcquire() pool.Trace {
	t := Trace()
	t.AcquireStart, t.AcquireDone = task("fairpool.acquire", "fairpool.acquire")
	return t
}

// A key leads to what has begun of a task in a context.
type key struct{ name string }

type begun struct {
	task   *trace.Task
	region *trace.Region // nil: it may end in another goroutine
}

func task(name, region string) (func(context.Context, pool.Event) context.Context, func(context.Context, pool.Event)) {
	var own any = key{name} // once, and not for each look into a context
	start := func(ctx context.Context, e pool.Event) context.Context {
		if !trace.IsEnabled() {
			if ctx.Value(own) != nil {
				return context.WithValue(ctx, own, nil) // what is around this is not to end with it
			}
			return nil
		}
		ctx, t := trace.NewTask(ctx, name)
		if e.Tenant != "" {
			trace.Log(ctx, "fairpool.tenant", leaders.Label(e.Tenant))
		}
		if e.Retired != "" {
			trace.Log(ctx, "fairpool.retired", string(e.Retired))
		}
		b := &begun{task: t}
		if region != "" {
			b.region = trace.StartRegion(ctx, region)
		}
		return context.WithValue(ctx, own, b)
	}
	done := func(ctx context.Context, e pool.Event) {
		b, _ := ctx.Value(own).(*begun)
		if b == nil {
			return
		}
		if b.region != nil {
			b.region.End()
		}
		if e.Resource != 0 {
			trace.Log(ctx, "fairpool.resource", strconv.FormatUint(e.Resource, 10))
		}
		if e.Err != nil {
			trace.Log(ctx, "fairpool.error", e.Err.Error())
		}
		b.task.End()
	}
	return start, done
}
