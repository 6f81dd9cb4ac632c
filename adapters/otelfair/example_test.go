package otelfair_test

import (
	"context"
	"fmt"

	"github.com/fairpool/fairpool/adapters/otelfair"
	"github.com/fairpool/fairpool/pool"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func connect(context.Context) (string, error) { return "a connection", nil }

// The connections of a database pool, by the conventions for them.
func ExampleObserve() {
	reader := metric.NewManualReader()
	p, _ := pool.New(pool.Config[string]{Constructor: connect, MaxSize: 4})
	defer p.Close()
	registration, err := otelfair.Observe(p, otelfair.Options{
		Pool:          "db",
		MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)),
		Database:      &otelfair.Database{},
	})
	if err != nil {
		panic(err)
	}
	defer registration.Unregister()

	l, _ := p.Acquire(context.Background(), "acme")
	defer l.Release()
	var data metricdata.ResourceMetrics
	_ = reader.Collect(context.Background(), &data)
	for _, m := range data.ScopeMetrics[0].Metrics {
		if m.Name == "db.client.connection.count" {
			for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
				state, _ := point.Attributes.Value("db.client.connection.state")
				fmt.Println(state.AsString(), point.Value)
			}
		}
	}
	// Unordered output:
	// idle 0
	// used 1
}

// A span for the wait, within that of the caller.
func ExampleTrace() {
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	traced, err := otelfair.Trace(otelfair.TraceOptions{Pool: "db", TracerProvider: provider, Spans: true})
	if err != nil {
		panic(err)
	}
	p, _ := pool.New(pool.Config[string]{Constructor: connect, MaxSize: 4, Trace: traced})
	defer p.Close()

	ctx, request := provider.Tracer("example").Start(context.Background(), "request")
	l, _ := p.Acquire(ctx, "acme")
	l.Release()
	request.End()
	for _, s := range spans.Ended() {
		if s.Parent().IsValid() {
			fmt.Println(s.Name(), "within another")
		} else {
			fmt.Println(s.Name())
		}
	}
	// Output:
	// fairpool.build
	// fairpool.wait within another
	// request
}
