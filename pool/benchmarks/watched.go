package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/fairpool/fairpool/adapters/otelfair"
	"github.com/fairpool/fairpool/adapters/promfair"
	"github.com/fairpool/fairpool/adapters/tracefair"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A watch is a way to watch a pool.
type watch struct {
	name   string
	attach []func(*watched) error
	hooked bool // it is told of each Acquire
}

// watches are what is collected only, and all of that together; and then what
// has to be told of each Acquire.
func watches() []watch {
	return []watch{
		{name: "promfair.Collector", attach: attach(scraped)},
		{name: "otelfair.Observe", attach: attach(observed)},
		{name: everything, attach: attach(scraped, observed, timedByPrometheus(promfair.TimesOptions{}), timedByOTel(otelfair.TraceOptions{}), recorded)},
		{name: "promfair.Times: Waits", attach: attach(scraped, timedByPrometheus(promfair.TimesOptions{Waits: true})), hooked: true},
		{name: "promfair.Times: Waits, one in 16", attach: attach(scraped, timedByPrometheus(promfair.TimesOptions{Waits: true, Every: 16})), hooked: true},
		{name: "promfair.Times: Waits and Holds", attach: attach(scraped, timedByPrometheus(promfair.TimesOptions{Waits: true, Holds: true})), hooked: true},
		{name: "otelfair.Trace: Waits", attach: attach(observed, timedByOTel(otelfair.TraceOptions{Waits: true})), hooked: true},
		{name: "otelfair.Trace: Spans, of a caller that is not recorded", attach: attach(observed, timedByOTel(otelfair.TraceOptions{Spans: true})), hooked: true},
		{name: "tracefair.Trace, tracing off", attach: attach(func(w *watched) error { w.traces = append(w.traces, tracefair.Trace()); return nil }), hooked: true},
	}
}

const (
	unwatched  = "unwatched"
	everything = "all that needs not be told of each Acquire"
)

func attach(all ...func(*watched) error) []func(*watched) error { return all }

// watched is one goroutine that acquires and releases, while every second those
// who watch collect.
type watched struct {
	alone
	pool     *pool.Pool[*int]
	traces   []pool.Trace
	attached []func() error // due when there is a pool
	collects []func()
	ends     []func()
}

// knownTenants is how many tenants the pool knows, namedTenants how many have
// series of their own.
const (
	knownTenants = 1000
	namedTenants = 20
)

func (w watch) open(cycles int) (load, error) {
	l := &watched{}
	for _, attach := range w.attach {
		if err := attach(l); err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
	}
	lender, err := openFairpoolWith(slots, func(c *pool.Config[*int]) { c.Trace = pool.Traces(l.traces...) })
	if err != nil {
		return nil, err
	}
	l.pool = lender.pool
	ctx, cancel := cancellable.new()
	l.alone = alone{lender, ctx, cancel, cycles}
	for i := range knownTenants {
		if err := lender.Cycle(ctx, fmt.Sprint("tenant-", i)); err != nil {
			return nil, err
		}
	}
	for _, attach := range l.attached {
		if err := attach(); err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return l, nil
}

// Round has everybody collect at its beginning and then each second.
func (w *watched) Round() (s sample, err error) {
	ctx, stop := context.WithCancel(context.Background())
	var collecting sync.WaitGroup
	collecting.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			for _, collect := range w.collects {
				collect()
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
	s, err = w.alone.Round()
	stop()
	collecting.Wait()
	return s, err
}

func (w *watched) Close() {
	for _, end := range w.ends {
		end()
	}
	w.alone.Close()
}

func scraped(w *watched) error {
	registry := prometheus.NewRegistry()
	w.collects = append(w.collects, func() { _, _ = registry.Gather() })
	w.attached = append(w.attached, func() error {
		c, err := promfair.NewCollector(w.pool, promfair.Options{Pool: "p", TopTenants: namedTenants})
		if err != nil {
			return err
		}
		return registry.Register(c)
	})
	return nil
}

func timedByPrometheus(o promfair.TimesOptions) func(*watched) error {
	return func(w *watched) error {
		o.Pool = "p"
		times, err := promfair.NewTimes(o)
		if err != nil {
			return err
		}
		registry := prometheus.NewRegistry()
		w.collects = append(w.collects, func() { _, _ = registry.Gather() })
		w.traces = append(w.traces, times.Trace())
		return registry.Register(times)
	}
}

func meter(w *watched) metric.Reader {
	reader := metric.NewManualReader()
	w.collects = append(w.collects, func() {
		var data metricdata.ResourceMetrics
		_ = reader.Collect(context.Background(), &data)
	})
	return reader
}

func observed(w *watched) error {
	provider := metric.NewMeterProvider(metric.WithReader(meter(w)))
	w.attached = append(w.attached, func() error {
		_, err := otelfair.Observe(w.pool, otelfair.Options{Pool: "p", MeterProvider: provider, TopTenants: namedTenants})
		return err
	})
	return nil
}

func timedByOTel(o otelfair.TraceOptions) func(*watched) error {
	return func(w *watched) error {
		o.Pool, o.MeterProvider = "p", metric.NewMeterProvider(metric.WithReader(meter(w)))
		trace, err := otelfair.Trace(o)
		w.traces = append(w.traces, trace)
		return err
	}
}

// recorded is watched for tenants that starve, of which there are none, without
// a flight recorder: that makes the whole program slower, not the pool.
func recorded(w *watched) error {
	folder, err := os.MkdirTemp("", "traces")
	if err != nil {
		return err
	}
	recorder, err := tracefair.NewRecorder(tracefair.RecorderOptions{Dir: folder})
	if err != nil {
		return err
	}
	recorder.Stop()
	ctx, stop := context.WithCancel(context.Background())
	w.traces = append(w.traces, recorder.Trace("p"))
	w.attached = append(w.attached, func() error {
		go tracefair.Watch(ctx, recorder, "p", w.pool)
		return nil
	})
	w.ends = append(w.ends, func() {
		stop()
		_ = os.RemoveAll(folder)
	})
	return nil
}

// watching is one trial: each way to watch beside a pool that nobody watches.
func (s scale) watching() []trial {
	t := trial{name: "watching", title: "Acquire+Release, nobody else", unit: "ns", most: some}
	t.sides = append(t.sides, side{name: unwatched, open: func() (load, error) { return watch{}.open(s.watched) }})
	for _, w := range watches() {
		cycles := s.watched
		if w.hooked {
			cycles /= 10
		}
		t.sides = append(t.sides, side{name: w.name, open: func() (load, error) { return w.open(cycles) }})
	}
	t.rows = []row{{
		title: "pool: watched by Prometheus and OpenTelemetry each second, but for each Acquire",
		base:  unwatched, ours: everything, target: ratioBelow(1.1),
	}}
	return []trial{t}
}

const aboutWatching = `What it costs to be watched: the cycle of a goroutine that nobody disturbs, while
those who watch collect at the beginning of the round and then each second. The
pool knows 1,000 tenants, of which 20 have series of their own. What is collected
only costs the pool nothing in between. Histograms of waits and holds, and spans,
have to be told of each Acquire and Release, which costs more than what they do
with it. A ratio is that to the pool that is not watched, in the same round.
`

// showWatches writes a line for each way to watch.
func showWatches(w io.Writer, results []result) {
	fmt.Fprintln(w)
	head(w, []string{"watched by"}, []string{"each (quartiles)", "allocs", "ratio to " + unwatched})
	for _, r := range results {
		for _, s := range r.sides {
			line(w, []string{
				s.name, r.spread(s.name, each).in(r.unit), number(r.spread(s.name, allocs).median), ratioCell(r, s.name, unwatched, each),
			})
		}
	}
}
