package tracefair

import (
	"context"
	"runtime/trace"
	"strconv"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/fairpool/fairpool/pool"
)

// Trace returns what has each Acquire, build, check, prepare, reset and destroy
// be a task, as in fairpool.acquire, while tracing is on or a flight recorder
// runs. The wait of an Acquire is a region in its goroutine too. The tenant, the
// number of the resource and the error are logged. The hooks of the pool get
// the task in their context, so that regions of theirs belong to it.
//
// While tracing is off, each Acquire still costs the calls. pool.Traces joins it
// with others.
func Trace() (t pool.Trace) {
	t.AcquireStart, t.AcquireDone = task("fairpool.acquire", "fairpool.wait")
	t.BuildStart, t.BuildDone = task("fairpool.build", "")
	t.CheckStart, t.CheckDone = task("fairpool.check", "")
	t.PrepareStart, t.PrepareDone = task("fairpool.prepare", "")
	t.ResetStart, t.ResetDone = task("fairpool.reset", "")
	t.DestroyStart, t.DestroyDone = task("fairpool.destroy", "")
	return t
}

// A key leads to what has begun of a task in a context.
type key struct{ name string }

type begun struct {
	task   *trace.Task
	region *trace.Region // nil: it may end in another goroutine
}

func task(name, region string) (func(context.Context, pool.Event) context.Context, func(context.Context, pool.Event)) {
	own := key{name}
	start := func(ctx context.Context, e pool.Event) context.Context {
		if !trace.IsEnabled() {
			if ctx.Value(own) != nil {
				return context.WithValue(ctx, own, nil) // what is around this is not to end with it
			}
			return ctx
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
