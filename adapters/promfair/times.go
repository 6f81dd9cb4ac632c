package promfair

import (
	"context"
	"fmt"
	"math/rand/v2"
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

	// Waits asks for the histogram of how long Acquire takes, and Holds for
	// that of how long leases last. Both cost each Acquire and Release, see
	// the package.
	Waits bool
	Holds bool

	// Every has one in so many of the waits and holds be observed, picked at
	// random. It saves little: to be asked costs more than to observe. 0
	// means 1.
	Every int

	// Buckets are upper bounds in seconds, in rising order, for those who
	// cannot read native histograms. nil leaves them out: then there is a
	// native histogram only.
	Buckets []float64
}

// Times has histograms of how long things take in a pool: builds always, waits
// and holds on request. It is to be registered, and its Trace to be that of the
// pool. Several pools of the same name may share it.
type Times struct {
	builds *prometheus.HistogramVec
	waits  *prometheus.HistogramVec // nil: not asked for
	holds  prometheus.Histogram     // likewise
	every  int
}

// NewTimes returns histograms without observations, or an error that names what
// is wrong with the options.
func NewTimes(o TimesOptions) (*Times, error) {
	if err := checkPool("TimesOptions.Pool", o.Pool); err != nil {
		return nil, err
	}
	if o.Every < 0 {
		return nil, fmt.Errorf("promfair: TimesOptions.Every is %d, must not be negative", o.Every)
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
	t := &Times{every: max(1, o.Every)}
	t.builds = prometheus.NewHistogramVec(times("build_duration_seconds", "How long builds of a resource took, by result."), []string{"result"})
	if o.Waits {
		t.waits = prometheus.NewHistogramVec(times("wait_duration_seconds", "How long requests for a resource took, by result."), []string{"result"})
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
	all := []prometheus.Collector{t.builds}
	if t.waits != nil {
		all = append(all, t.waits)
	}
	if t.holds != nil {
		all = append(all, t.holds)
	}
	return all
}

// Trace returns what has the times of a pool observed. pool.Traces joins it with
// others.
func (t *Times) Trace() pool.Trace {
	var trace pool.Trace
	built, failed := t.builds.WithLabelValues(outcome.OK), t.builds.WithLabelValues(outcome.Failed)
	trace.BuildDone = func(_ context.Context, e pool.Event) {
		if e.Err != nil {
			failed.Observe(e.Took.Seconds())
		} else {
			built.Observe(e.Took.Seconds())
		}
	}
	if t.waits != nil {
		served := t.waits.WithLabelValues(outcome.OK)
		trace.AcquireDone = func(_ context.Context, e pool.Event) {
			switch {
			case !t.picks():
			case e.Err != nil:
				t.waits.WithLabelValues(outcome.Of(e.Err)).Observe(e.Took.Seconds())
			default:
				served.Observe(e.Took.Seconds())
			}
		}
	}
	if t.holds != nil {
		trace.Release = func(e pool.Event) {
			if t.picks() {
				t.holds.Observe(e.Took.Seconds())
			}
		}
	}
	return trace
}

func (t *Times) picks() bool { return t.every == 1 || rand.N(t.every) == 0 }
