package otelfair_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/otelfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// spanned returns a trace with spans, the tracer of the callers, and what
// records the spans of both.
func spanned(t testing.TB, o otelfair.TraceOptions) (pool.Trace, trace.Tracer, *tracetest.SpanRecorder) {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	o.Pool, o.Spans, o.MeterProvider, o.TracerProvider = "things", true, newMeter(), provider
	tr, err := otelfair.Trace(o)
	require.NoError(t, err)
	return tr, provider.Tracer("callers"), spans
}

// ended are the spans of a name that have ended.
func ended(spans *tracetest.SpanRecorder, name string) []sdktrace.ReadOnlySpan {
	return slices.DeleteFunc(spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() != name })
}

func attributesOf(s sdktrace.ReadOnlySpan) map[string]string {
	all := make(map[string]string)
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func took(s sdktrace.ReadOnlySpan) time.Duration { return s.EndTime().Sub(s.StartTime()) }

func TestAWaitIsASpanWithinThatOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, tracer, spans := spanned(t, otelfair.TraceOptions{})
		p := newPool(t, 1, func(c *pool.Config[*thing]) {
			c.Trace = tr
			c.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error {
				time.Sleep(time.Second)
				return nil
			}
		})
		acquire(t, p, "a").Release()
		ctx, caller := tracer.Start(background, "request")
		l, err := p.Acquire(ctx, "a")
		require.NoError(t, err)
		require.Empty(t, ended(spans, "fairpool.wait"), "the first caller had no span, the second did not wait")
		time.AfterFunc(3*time.Second, l.Release)
		l, err = p.Acquire(ctx, "b\xff")
		require.NoError(t, err)
		l.Release()
		caller.End()

		waits := ended(spans, "fairpool.wait")
		require.Len(t, waits, 1)
		require.Equal(t, 3*time.Second, took(waits[0]))
		require.Equal(t, caller.SpanContext().SpanID(), waits[0].Parent().SpanID())
		require.Equal(t, map[string]string{
			"fairpool.pool": "things", "fairpool.tenant": `"b\xff"`, "fairpool.resource.number": "1",
		}, attributesOf(waits[0]))
		prepared := ended(spans, "fairpool.prepare")
		require.Len(t, prepared, 2)
		require.Equal(t, caller.SpanContext().SpanID(), prepared[1].Parent().SpanID(), "that is no part of the wait")
		require.Len(t, spans.Ended(), len(spans.Started()), "each has ended")
	})
}

func TestAnAcquireIsASpanWithinThatOfTheCallerIfAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, tracer, spans := spanned(t, otelfair.TraceOptions{EachAcquire: true})
		p := newPool(t, 1, func(c *pool.Config[*thing]) {
			c.Trace = tr
			c.Tenancy.Prepare = func(ctx context.Context, _ *thing, _ pool.Handover) error {
				_, span := tracer.Start(ctx, "query")
				time.Sleep(time.Second)
				span.End()
				return nil
			}
		})
		l := acquire(t, p, "a")
		time.AfterFunc(3*time.Second, l.Release)
		ctx, caller := tracer.Start(background, "request")
		l, err := p.Acquire(ctx, "b\xff")
		require.NoError(t, err)
		l.Release()
		caller.End()

		waits := ended(spans, "fairpool.acquire")
		require.Len(t, waits, 1, "the first caller had no span")
		wait := waits[0]
		require.Equal(t, 4*time.Second, took(wait))
		require.Equal(t, caller.SpanContext().SpanID(), wait.Parent().SpanID())
		require.Equal(t, map[string]string{
			"fairpool.pool": "things", "fairpool.tenant": `"b\xff"`, "fairpool.resource.number": "1",
		}, attributesOf(wait))
		require.Equal(t, codes.Unset, wait.Status().Code)
		prepared := ended(spans, "fairpool.prepare")
		require.Len(t, prepared, 1)
		require.Equal(t, wait.SpanContext().SpanID(), prepared[0].Parent().SpanID())
		query := ended(spans, "query")
		require.Equal(t, prepared[0].SpanContext().SpanID(), query[1].Parent().SpanID())
		require.Len(t, spans.Ended(), len(spans.Started()), "each has ended")
	})
}

func TestAWaitInVainSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, tracer, spans := spanned(t, otelfair.TraceOptions{})
		p := newPool(t, 1, func(c *pool.Config[*thing]) { c.Trace = tr })
		defer acquire(t, p, "a").Release()
		ctx, caller := tracer.Start(background, "request")
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := p.Acquire(ctx, "b")
		require.Error(t, err)
		caller.End()
		wait := ended(spans, "fairpool.wait")[0]
		require.Equal(t, codes.Error, wait.Status().Code)
		require.Equal(t, err.Error(), wait.Status().Description)
		require.Equal(t, "timeout", attributesOf(wait)["fairpool.result"])
		require.Equal(t, "all slots in use", attributesOf(wait)["fairpool.reason"])
	})
}

func TestACallerThatIsNotRecordedCostsNoSpan(t *testing.T) {
	tr, _, spans := spanned(t, otelfair.TraceOptions{EachAcquire: true})
	p := newPool(t, 1, func(c *pool.Config[*thing]) { c.Trace = tr })
	acquire(t, p, "a").Release()
	dropped := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())).Tracer("callers")
	ctx, caller := dropped.Start(background, "request")
	l, err := p.Acquire(ctx, "a")
	require.NoError(t, err)
	l.Release()
	caller.End()
	require.Empty(t, ended(spans, "fairpool.acquire"))
}

func TestBuildsAndDestructionsAreTracesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, tracer, spans := spanned(t, otelfair.TraceOptions{})
		p := newPool(t, 1, func(c *pool.Config[*thing]) {
			c.Trace = tr
			c.Constructor = func(ctx context.Context) (*thing, error) {
				_, span := tracer.Start(ctx, "connect")
				defer span.End()
				time.Sleep(time.Second)
				return &thing{}, nil
			}
			c.Destructor = func(*thing) { time.Sleep(2 * time.Second); panic("already closed") }
		})
		ctx, caller := tracer.Start(background, "request")
		l, err := p.Acquire(ctx, "a")
		require.NoError(t, err)
		l.Destroy()
		caller.End()
		time.Sleep(time.Minute)
		build := ended(spans, "fairpool.build")[0]
		require.False(t, build.Parent().IsValid())
		require.Equal(t, time.Second, took(build))
		require.Equal(t, build.SpanContext().SpanID(), ended(spans, "connect")[0].Parent().SpanID())
		destroy := ended(spans, "fairpool.destroy")[0]
		require.False(t, destroy.Parent().IsValid())
		require.Equal(t, 2*time.Second, took(destroy))
		require.Equal(t, codes.Error, destroy.Status().Code)
		require.Equal(t, "destroyed", attributesOf(destroy)["fairpool.reason"])
	})
}

// The holder of a lease that is asked back sees it in its own trace.
func TestARevocationIsAnEventForItsHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, tracer, spans := spanned(t, otelfair.TraceOptions{EachAcquire: true})
		p := newPool(t, 1, func(c *pool.Config[*thing]) { c.Trace = tr })
		ctx, caller := tracer.Start(background, "request")
		l, err := p.Acquire(ctx, "a")
		require.NoError(t, err)
		time.Sleep(time.Second)
		require.Equal(t, 1, p.Revoke(errors.New("account closed"), func(pool.Holder) bool { return true }))
		synctest.Wait()
		l.Release()
		caller.End()
		require.Equal(t, []string{"fairpool.revoke"}, events(ended(spans, "request")[0]))
		revoke := ended(spans, "fairpool.revoke")[0]
		require.Equal(t, caller.SpanContext().SpanID(), revoke.Links()[0].SpanContext.SpanID())
		require.Equal(t, "a", attributesOf(revoke)["fairpool.tenant"])
		require.Contains(t, fmt.Sprint(revoke.Events()[0].Attributes), "account closed")
	})
}

func events(s sdktrace.ReadOnlySpan) (names []string) {
	for _, e := range s.Events() {
		names = append(names, e.Name)
	}
	return names
}

// A caller that has returned its lease, but still works, has nothing to do with
// what happens to the next holder.
func TestARevocationIsNoEventForAnEarlierHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, tracer, spans := spanned(t, otelfair.TraceOptions{EachAcquire: true})
		p := newPool(t, 1, func(c *pool.Config[*thing]) { c.Trace = tr })
		ctx, caller := tracer.Start(background, "request")
		l, err := p.Acquire(ctx, "a")
		require.NoError(t, err)
		l.Release()
		l = acquire(t, p, "b") // nobody records it
		p.Revoke(nil, func(pool.Holder) bool { return true })
		synctest.Wait()
		l.Release()
		caller.End()
		require.Empty(t, events(ended(spans, "request")[0]))
		require.Empty(t, ended(spans, "fairpool.revoke")[0].Links())
	})
}

func TestALeakIsAnEventForItsHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, tracer, spans := spanned(t, otelfair.TraceOptions{EachAcquire: true})
		p := newPool(t, 1, func(c *pool.Config[*thing]) {
			c.Trace = tr
			c.Guard.LeakAfter = time.Minute
		})
		ctx, caller := tracer.Start(background, "request")
		l, err := p.Acquire(ctx, "a")
		require.NoError(t, err)
		time.Sleep(time.Hour)
		l.Release()
		synctest.Wait()
		caller.End()
		require.Equal(t, []string{"fairpool.leak"}, events(ended(spans, "request")[0]))
	})
}

// Two of them on one pool, or a pool in the constructor of another, do not end
// each other's spans.
func TestSpansOfSeveralDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, tracer, spans := spanned(t, otelfair.TraceOptions{EachAcquire: true})
		second, _, others := spanned(t, otelfair.TraceOptions{EachAcquire: true})
		inner := newPool(t, 1, func(c *pool.Config[*thing]) { c.Trace = first })
		outer := newPool(t, 1, func(c *pool.Config[*thing]) {
			c.Trace = pool.Traces(first, second)
			c.Constructor = func(ctx context.Context) (*thing, error) {
				l, err := inner.Acquire(ctx, "a")
				time.Sleep(time.Second)
				l.Release()
				return &thing{}, err
			}
		})
		ctx, caller := tracer.Start(background, "request")
		l, err := outer.Acquire(ctx, "a")
		require.NoError(t, err)
		l.Release()
		caller.End()
		require.Len(t, ended(spans, "fairpool.acquire"), 2)
		require.Len(t, ended(others, "fairpool.acquire"), 1)
		for _, s := range append(ended(spans, "fairpool.build"), ended(others, "fairpool.build")...) {
			require.True(t, took(s) == time.Second || took(s) == 0, took(s))
		}
		require.Len(t, ended(others, "fairpool.build"), 1)
		require.Equal(t, time.Second, took(ended(others, "fairpool.acquire")[0]))
		require.Len(t, spans.Ended(), len(spans.Started()))
		require.Len(t, others.Ended(), len(others.Started()))
	})
}
