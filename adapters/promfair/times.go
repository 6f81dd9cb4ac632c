package promfair

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/outcome"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
)

// TimesOptions describe Times. Pool is required.
type TimesOptions struct {
	// Pool is the value of the label pool.
	Pool string

	// EachAcquire has the histogram of the waits be one of all requests: of
	// those that are served at once too, and with what the hooks of the pool
	// take. Holds asks for that of how long leases last. Either costs each
	// Acquire and Release two readings of the clock, and the observation.
	EachAcquire bool
	Holds       bool

	// Buckets are upper bounds in seconds, in rising order, for those who
	// cannot read native histograms. nil leaves them out: then there is a
	// native histogram only.
	Buckets []float64
}

// Times has histograms of how long things take in a pool: the builds, the waits
// of requests that were not served at once and, if asked for, the holds. It is to
// be registered, and its Trace to be that of the pool. Several pools of the same
// name may share it.
type Times struct {
	builds *prometheus.HistogramVec
	waits  *prometheus.HistogramVec
	each   bool                 // those of no time too
	holds  prometheus.Histogram // nil: not asked for
}

// NewTimes returns histograms without observations, or an error that names what
// is wrong with the options.
func NewTimes(o TimesOptions) (*Times, error) {
	if err := checkPool("TimesOptions.Pool", o.Pool); err != nil {
		return nil, err
	}
	for i, bound := range o.Buckets {
		if !(bound > 0) || i > 0 && bound <= o.Buckets[i-1] {
			return nil, fmt.Errorf("promfair: TimesOptions.Buckets are %v, must be positive and rise", o.Buckets)
		}
	}
	times := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{
			Name:        "fairpool_" + name,
			Help:        help,
			ConstLabels: prometheus.Labels{"pool": o.Pool},
			Buckets:     slices.Clone(o.Buckets),

			NativeHistogramBucketFactor:     1.1,
			NativeHistogramZeroThreshold:    1e-6,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}
	}
	waits := "How long requests waited that were not served at once, by result."
	if o.EachAcquire {
		waits = "How long requests for a resource took, by result."
	}
	result := []string{"result"}
	t := &Times{
		builds: prometheus.NewHistogramVec(times("build_duration_seconds", "How long builds of a resource took, by result."), result),
		waits:  prometheus.NewHistogramVec(times("wait_duration_seconds", waits), result),
		each:   o.EachAcquire,
	}
	if o.Holds {
		t.holds = prometheus.NewHistogram(times("hold_duration_seconds", "How long resources were leased."))
	}
	return t, nil
}

// Describe is for the registry.
func (t *Times) Describe(descs chan<- *prometheus.Desc) {
	for _, c := range t.collectors() {
		c.Describe(descs)
	}
}

// Collect is for the registry.
func (t *Times) Collect(metrics chan<- prometheus.Metric) {
	for _, c := range t.collectors() {
		c.Collect(metrics)
	}
}

func (t *Times) collectors() []prometheus.Collector {
	all := []prometheus.Collector{t.builds, t.waits}
	if t.holds != nil {
		all = append(all, t.holds)
	}
	return all
}

// Trace returns what has the times of a pool observed. pool.Traces joins it with
// others.
func (t *Times) Trace() (trace pool.Trace) {
	built, failed := t.builds.WithLabelValues(outcome.OK), t.builds.WithLabelValues(outcome.Failed)
	trace.BuildDone = func(_ context.Context, e pool.Event) {
		if e.Err != nil {
			failed.Observe(e.Took.Seconds())
		} else {
			built.Observe(e.Took.Seconds())
		}
	}
	served := t.waits.WithLabelValues(outcome.OK)
	waited := func(_ context.Context, e pool.Event) {
		if e.Err != nil {
			t.waits.WithLabelValues(outcome.Of(e.Err)).Observe(e.Took.Seconds())
		} else {
			served.Observe(e.Took.Seconds())
		}
	}
	if t.each {
		trace.AcquireDone = waited
	} else {
		trace.WaitDone = waited
	}
	if t.holds != nil {
		trace.Release = func(e pool.Event) { t.holds.Observe(e.Took.Seconds()) }
	}
	return trace
}
