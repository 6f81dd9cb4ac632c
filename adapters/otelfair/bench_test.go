package otelfair_test

import (
	"context"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/otelfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// BenchmarkCycle is an Acquire and Release with nobody else about, beside what
// watches it. Whatever it is, it is collected each second.
func BenchmarkCycle(b *testing.B) {
	for _, w := range []struct {
		name     string
		trace    *otelfair.TraceOptions
		recorded bool
	}{
		{"observed", nil, false},
		{"builds and waits", &otelfair.TraceOptions{}, false},
		{"spans, caller recorded", &otelfair.TraceOptions{Spans: true}, true},
		{"each Acquire", &otelfair.TraceOptions{EachAcquire: true}, false},
		{"each Acquire and Release", &otelfair.TraceOptions{EachAcquire: true, Holds: true}, false},
		{"span of each Acquire, caller not recorded", &otelfair.TraceOptions{Spans: true, EachAcquire: true}, false},
		{"span of each Acquire, caller recorded", &otelfair.TraceOptions{Spans: true, EachAcquire: true}, true},
	} {
		b.Run(w.name, func(b *testing.B) {
			m := newMeter()
			provider := sdktrace.NewTracerProvider()
			p := newPool(b, 8, func(c *pool.Config[*thing]) {
				if w.trace != nil {
					w.trace.Pool, w.trace.MeterProvider, w.trace.TracerProvider = "p", m, provider
					var err error
					c.Trace, err = otelfair.Trace(*w.trace)
					require.NoError(b, err)
				}
			})
			r, err := otelfair.Observe(p, otelfair.Options{Pool: "p", MeterProvider: m, TopTenants: 20})
			require.NoError(b, err)
			defer func() { _ = r.Unregister() }()
			ctx, stop := context.WithCancel(background)
			defer stop()
			go func() {
				ticker := time.NewTicker(time.Second)
				defer ticker.Stop()
				for {
					select {
					case <-ticker.C:
						var data metricdata.ResourceMetrics
						_ = m.reader.Collect(ctx, &data)
					case <-ctx.Done():
						return
					}
				}
			}()
			if w.recorded {
				traced, span := provider.Tracer("callers").Start(ctx, "request")
				defer span.End()
				ctx = traced
			}
			b.ReportAllocs()
			for b.Loop() {
				l, err := p.Acquire(ctx, "tenant-1")
				if err != nil {
					b.Fatal(err)
				}
				l.Release()
			}
		})
	}
}
