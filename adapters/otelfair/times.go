package otelfair

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/adapters/internal/outcome"
	"github.com/fairpool/fairpool/pool"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
	"go.opentelemetry.io/otel/trace"
)

// TraceOptions describe what a Trace tells. Pool is required.
type TraceOptions struct {
	// Pool is the value of the attribute that tells pools apart.
	Pool string

	// MeterProvider is where to record, and TracerProvider where spans are to
	// begin. nil means the global one.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider

	// Spans asks for spans.
	Spans bool

	// EachAcquire has each Acquire recorded, and be a span, rather than the
	// waits of those that were not served at once: for as long as the whole
	// call takes, with the hooks of the pool. Holds asks for the histogram of
	// how long leases last. Either costs each Acquire and Release two readings
	// of the clock, and the recording.
	EachAcquire bool
	Holds       bool

	// Database has the times recorded by the conventions for database
	// connections: the waits of those that got one, and a count of those that
	// took too long, rather than all waits by result.
	Database bool
}

// buckets are advice for those who do not ask for exponential histograms.
var buckets = metric.WithExplicitBucketBoundaries(
	.00001, .0001, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)

// Trace returns what has the times of builds and waits recorded, and what else
// the options ask for. It is to be the Trace of a pool; pool.Traces joins it with
// others. The error names what is wrong with the options, or is that of the
// meter.
func Trace(o TraceOptions) (pool.Trace, error) {
	if err := checkPool("TraceOptions.Pool", o.Pool); err != nil {
		return pool.Trace{}, err
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	times, err := o.times(o.MeterProvider.Meter(scope))
	if err != nil {
		return pool.Trace{}, fmt.Errorf("otelfair: %w", err)
	}
	if !o.Spans {
		return times, nil
	}
	// The spans are around the times, so that these are recorded with theirs.
	return pool.Traces(newSpans(o.TracerProvider.Tracer(scope), o.Pool).trace(o.EachAcquire), times), nil
}

// A clock has a histogram that belongs to one pool.
type clock struct {
	histogram metric.Float64Histogram
	pool      attribute.KeyValue
	ok        metric.MeasurementOption
}

func (c clock) record(ctx context.Context, e pool.Event) {
	c.histogram.Record(ctx, e.Took.Seconds(), c.ok)
}

// recordResult is record with how it ended.
func (c clock) recordResult(ctx context.Context, e pool.Event) {
	if e.Err == nil {
		c.record(ctx, e)
		return
	}
	c.histogram.Record(ctx, e.Took.Seconds(), metric.WithAttributes(c.pool, resultKey.String(outcome.Of(e.Err))))
}

func (o *TraceOptions) times(m metric.Meter) (pool.Trace, error) {
	if o.Database {
		return o.databaseTimes(m)
	}
	var errs []error
	newClock := func(name, means string, attributes ...attribute.KeyValue) clock {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(means), buckets)
		errs = append(errs, err)
		own := poolKey.String(o.Pool)
		return clock{h, own, metric.WithAttributeSet(attribute.NewSet(append(attributes, own)...))}
	}
	var t pool.Trace
	t.BuildDone = newClock("fairpool.build.duration", "How long builds of a resource took.", resultKey.String(outcome.OK)).recordResult
	waits := "How long requests waited that were not served at once."
	if o.EachAcquire {
		waits = "How long requests for a resource took."
	}
	o.wait(&t, newClock("fairpool.wait.duration", waits, resultKey.String(outcome.OK)).recordResult)
	if o.Holds {
		holds := newClock("fairpool.hold.duration", "How long resources were leased.")
		t.Release = func(e pool.Event) { holds.record(context.Background(), e) }
	}
	return t, errors.Join(errs...)
}

// wait has done be told of waits, or of each Acquire.
func (o *TraceOptions) wait(t *pool.Trace, done func(context.Context, pool.Event)) {
	if o.EachAcquire {
		t.AcquireDone = done
	} else {
		t.WaitDone = done
	}
}

func (o *TraceOptions) databaseTimes(m metric.Meter) (pool.Trace, error) {
	own := semconv.DBClientConnectionPoolName(o.Pool)
	of := metric.WithAttributeSet(attribute.NewSet(own))
	var t pool.Trace
	create, err := dbconv.NewClientConnectionCreateTime(m, buckets)
	built := clock{create.Inst(), own, of}
	t.BuildDone = func(ctx context.Context, e pool.Event) {
		if e.Err == nil {
			built.record(ctx, e)
		}
	}
	errs := []error{err}
	wait, err := dbconv.NewClientConnectionWaitTime(m, buckets)
	timeouts, also := dbconv.NewClientConnectionTimeouts(m)
	errs = append(errs, err, also)
	waited := clock{wait.Inst(), own, of}
	o.wait(&t, func(ctx context.Context, e pool.Event) {
		switch {
		case e.Err == nil:
			waited.record(ctx, e)
		case outcome.Of(e.Err) == outcome.Timeout:
			timeouts.Inst().Add(ctx, 1, of)
		}
	})
	if o.Holds {
		use, err := dbconv.NewClientConnectionUseTime(m, buckets)
		errs = append(errs, err)
		used := clock{use.Inst(), own, of}
		t.Release = func(e pool.Event) { used.record(context.Background(), e) }
	}
	return t, errors.Join(errs...)
}
