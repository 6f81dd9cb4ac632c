package otelfair

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/fairpool/fairpool/adapters/internal/outcome"
	"github.com/fairpool/fairpool/pool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// spans makes spans of what happens in one pool.
type spans struct {
	tracer trace.Tracer
	pool   attribute.KeyValue

	// The callers whose spans are recorded, by the resource that they hold, if
	// there is a span of each Acquire.
	mu      sync.Mutex
	callers map[uint64]trace.Span
	some    atomic.Bool // there are any
}

// maxCallers bounds how many are known, should resources go without notice.
const maxCallers = 4096

// A step is one that takes time: the key of its span in a context.
type step struct {
	of   *spans
	name string
}

// key is made once, and not for each look into a context.
func (s *spans) key(name string) any { return step{s, name} }

// begun is the span of a step, and the one around it.
type begun struct{ span, caller trace.Span }

func newSpans(t trace.Tracer, name string) *spans {
	return &spans{tracer: t, pool: poolKey.String(name), callers: make(map[uint64]trace.Span)}
}

func (s *spans) trace(eachAcquire bool) (t pool.Trace) {
	t.CheckStart, t.CheckDone = s.within("fairpool.check")
	t.PrepareStart, t.PrepareDone = s.within("fairpool.prepare")
	t.BuildStart, t.BuildDone = s.apart("fairpool.build")
	t.DestroyStart, t.DestroyDone = s.apart("fairpool.destroy")

	t.Revoke = s.revoked
	if eachAcquire {
		s.knowHolders(&t)
	} else {
		t.WaitStart, t.WaitDone = s.within("fairpool.wait")
	}
	return t
}

// knowHolders has each Acquire be a span, and knows from it in whose span a
// resource is used, to tell that of what becomes of the lease.
func (s *spans) knowHolders(t *pool.Trace) {
	const name = "fairpool.acquire"
	key := s.key(name)
	start, acquired := s.within(name)
	destroyed := t.DestroyDone
	t.AcquireStart = start
	t.AcquireDone = func(ctx context.Context, e pool.Event) {
		if e.Err == nil {
			b, _ := ctx.Value(key).(begun)
			s.holds(e.Resource, b.caller)
		}
		acquired(ctx, e)
	}
	t.DestroyDone = func(ctx context.Context, e pool.Event) {
		s.holds(e.Resource, nil)
		destroyed(ctx, e)
	}
	t.Leak = s.leaked
}

// within makes spans inside of those of the caller, if they are recorded.
func (s *spans) within(name string) (func(context.Context, pool.Event) context.Context, func(context.Context, pool.Event)) {
	key := s.key(name)
	start := func(ctx context.Context, e pool.Event) context.Context {
		caller := trace.SpanFromContext(ctx)
		if !caller.IsRecording() {
			return nil
		}
		ctx, span := s.tracer.Start(ctx, name, trace.WithAttributes(s.about(e)...))
		return context.WithValue(ctx, key, begun{span, caller})
	}
	return start, done(key)
}

// apart makes spans of what goes on in the background.
func (s *spans) apart(name string) (func(context.Context, pool.Event) context.Context, func(context.Context, pool.Event)) {
	key := s.key(name)
	start := func(ctx context.Context, e pool.Event) context.Context {
		ctx, span := s.tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithAttributes(s.about(e)...))
		return context.WithValue(ctx, key, begun{span: span})
	}
	return start, done(key)
}

// done ends the span of a step, if there is one, with how it went.
func done(key any) func(context.Context, pool.Event) {
	return func(ctx context.Context, e pool.Event) {
		b, ok := ctx.Value(key).(begun)
		if !ok {
			return
		}
		if e.Resource != 0 {
			b.span.SetAttributes(resourceKey.Int64(int64(e.Resource)))
		}
		if e.Err != nil {
			b.span.RecordError(e.Err)
			b.span.SetStatus(codes.Error, e.Err.Error())
			b.span.SetAttributes(resultKey.String(outcome.Of(e.Err)))
			var why *pool.AcquireError
			if errors.As(e.Err, &why) {
				b.span.SetAttributes(reasonKey.String(string(why.Reason)))
			}
		}
		b.span.End()
	}
}

func (s *spans) about(e pool.Event) []attribute.KeyValue {
	all := []attribute.KeyValue{s.pool}
	if e.Tenant != "" {
		all = append(all, tenantKey.String(leaders.Label(e.Tenant)))
	}
	if e.Resource != 0 {
		all = append(all, resourceKey.Int64(int64(e.Resource)))
	}
	if e.Retired != "" {
		all = append(all, reasonKey.String(string(e.Retired)))
	}
	return all
}

// holds takes note of whose span a resource is used in, nil for nobody's.
func (s *spans) holds(resource uint64, caller trace.Span) {
	if caller == nil && !s.some.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.callers, resource)
	if caller != nil && resource != 0 && len(s.callers) < maxCallers {
		s.callers[resource] = caller
	}
	s.some.Store(len(s.callers) > 0)
}

func (s *spans) caller(resource uint64) trace.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.callers[resource]
}

func (s *spans) revoked(e pool.Event) {
	about := append(s.about(e), attribute.Float64("fairpool.held", e.Took.Seconds()))
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithAttributes(about...)}
	if caller := s.caller(e.Resource); caller != nil {
		caller.AddEvent("fairpool.revoke", trace.WithAttributes(about...))
		options = append(options, trace.WithLinks(trace.Link{SpanContext: caller.SpanContext()}))
	}
	_, span := s.tracer.Start(context.Background(), "fairpool.revoke", options...)
	span.RecordError(e.Err)
	span.End()
}

func (s *spans) leaked(l pool.Leak) {
	if caller := s.caller(l.Resource); caller != nil && !l.Returned {
		about := s.about(pool.Event{Tenant: l.Tenant, Resource: l.Resource})
		caller.AddEvent("fairpool.leak", trace.WithAttributes(append(about,
			attribute.Float64("fairpool.held", l.Held.Seconds()), attribute.Bool("fairpool.lost", l.Lost))...))
	}
}
