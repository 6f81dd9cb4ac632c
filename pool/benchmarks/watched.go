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
	each   bool // it is told of each Acquire
}

// watches are what is collected, and with it all that is told of waits; and then
// what has to be told of each Acquire.
func watches() []watch {
	return []watch{
		{name: "promfair.Collector", attach: attach(scraped)},
		{name: "otelfair.Observe", attach: attach(observed)},
		everything,
		{name: "promfair.Times: EachAcquire", attach: attach(scraped, timedByPrometheus(promfair.TimesOptions{EachAcquire: true})), each: true},
		{name: "promfair.Times: Holds", attach: attach(scraped, timedByPrometheus(promfair.TimesOptions{Holds: true})), each: true},
		{name: "otelfair.Trace: EachAcquire", attach: attach(observed, timedByOTel(otelfair.TraceOptions{EachAcquire: true})), each: true},
		{name: "otelfair.Trace: EachAcquire, Spans of a caller that is not recorded", attach: attach(observed, timedByOTel(otelfair.TraceOptions{EachAcquire: true, Spans: true})), each: true},
		{name: "tracefair.EachAcquire, tracing off", attach: attach(traced(tracefair.EachAcquire())), each: true},
	}
}

var everything = watch{name: "everything attached", attach: attach(
	scraped, observed, recorded, traced(tracefair.Trace()),
	timedByPrometheus(promfair.TimesOptions{}), timedByOTel(otelfair.TraceOptions{Spans: true}),
)}

const unwatched = "unwatched"

func attach(all ...func(*watched) error) []func(*watched) error { return all }

// watched is a load on a pool, while every second those who watch collect.
type watched struct {
	load
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

// open opens a pool that is watched, for the load that made makes.
func (w watch) open(made func(lender) load) (load, error) {
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
	l.load = made(lender)
	for i := range knownTenants {
		if err := lender.Cycle(context.Background(), fmt.Sprint("tenant-", i)); err != nil {
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
	s, err = w.load.Round()
	stop()
	collecting.Wait()
	return s, err
}

func (w *watched) Close() {
	for _, end := range w.ends {
		end()
	}
	w.load.Close()
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

func traced(t pool.Trace) func(*watched) error {
	return func(w *watched) error {
		w.traces = append(w.traces, t)
		return nil
	}
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

// watching is two trials: each way to watch a goroutine that nobody disturbs, and
// everything attached where each Acquire waits.
func (s scale) watching() []trial {
	one := func(cycles int) func(lender) load {
		return func(l lender) load {
			ctx, cancel := cancellable.new()
			return &alone{l, ctx, cancel, cycles}
		}
	}
	side := func(w watch, made func(lender) load) side {
		return side{name: w.name, open: func() (load, error) { return w.open(made) }}
	}
	free := trial{name: "watching", title: "Acquire+Release, nobody else", unit: "ns", most: some}
	free.sides = append(free.sides, side(watch{name: unwatched}, one(s.watched)))
	for _, w := range watches() {
		cycles := s.watched
		if w.each {
			cycles /= 4
		}
		free.sides = append(free.sides, side(w, one(cycles)))
	}
	free.rows = []row{{
		title: "pool: everything attached that watches, collected each second",
		base:  unwatched, ours: everything.name, target: ratioBelow(1.1),
	}}

	busy := trial{name: "watching/waits", title: "64 goroutines of 16 tenants on 8 slots: each Acquire waits", unit: "ns"}
	crowded := func(l lender) load { return newCrowd(l, cancellable, slots, 64, 16, s.watched/20) }
	for _, w := range []watch{{name: unwatched}, everything} {
		busy.sides = append(busy.sides, side(w, crowded))
	}
	busy.rows = []row{{title: "pool: the same where each Acquire waits", base: unwatched, ours: everything.name}}
	return []trial{free, busy}
}

const aboutWatching = `What it costs to be watched, while those who watch collect at the beginning of the
round and then each second. The pool knows 1,000 tenants, of which 20 have series
of their own. What is collected costs the pool nothing in between, and what is
told of waits costs an Acquire that is served at once nothing. Everything attached
is promfair.Collector and Times, otelfair.Observe and Trace with Spans,
tracefair.Trace, Watch and Recorder.Trace. What is told of each Acquire or Release
costs each two readings of the clock beside what it does. A ratio is that to the
pool that is not watched, in the same round.

Where each Acquire waits, each is told: to four who note it, with two readings of
the clock.
`

// showWatches writes a table for each trial, with a line for each way to watch.
func showWatches(w io.Writer, results []result) {
	for _, r := range results {
		fmt.Fprintf(w, "\n## %s\n\n", r.title)
		head(w, []string{"watched by"}, []string{"each (quartiles)", "allocs", "ratio to " + unwatched})
		for _, s := range r.sides {
			line(w, []string{
				s.name, r.spread(s.name, each).in(r.unit), number(r.spread(s.name, allocs).median), ratioCell(r, s.name, unwatched, each),
			})
		}
	}
}
