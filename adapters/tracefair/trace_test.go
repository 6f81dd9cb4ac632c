package tracefair_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime/trace"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/tracefair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
	xtrace "golang.org/x/exp/trace"
)

var background = context.Background()

// A reading is what a trace says about tasks, regions and logs.
type reading struct {
	begun, ended, regions map[string]int
	within                map[string]string // a task, by one inside of it
	logs                  map[string][]string
}

func read(t testing.TB, from io.Reader) reading {
	r := reading{map[string]int{}, map[string]int{}, map[string]int{}, map[string]string{}, map[string][]string{}}
	events, err := xtrace.NewReader(from)
	require.NoError(t, err)
	tasks := map[xtrace.TaskID]string{}
	for {
		e, err := events.ReadEvent()
		if errors.Is(err, io.EOF) {
			return r
		}
		require.NoError(t, err)
		switch e.Kind() {
		case xtrace.EventTaskBegin:
			task := e.Task()
			tasks[task.ID] = task.Type
			r.begun[task.Type]++
			r.within[task.Type] = tasks[task.Parent]
		case xtrace.EventTaskEnd:
			r.ended[e.Task().Type]++
		case xtrace.EventRegionEnd:
			r.regions[e.Region().Type]++
		case xtrace.EventLog:
			l := e.Log()
			r.logs[tasks[l.Task]+" "+l.Category] = append(r.logs[tasks[l.Task]+" "+l.Category], l.Message)
		}
	}
}

func open(t testing.TB, set func(*pool.Config[int])) *pool.Pool[int] {
	cfg := pool.Config[int]{
		Constructor: func(context.Context) (int, error) { return 0, nil },
		MaxSize:     1,
		Trace:       tracefair.EachAcquire(),
	}
	if set != nil {
		set(&cfg)
	}
	p, err := pool.New(cfg)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func TestWhatHappensInAPoolIsInTheTrace(t *testing.T) {
	broken := errors.New("broken")
	p := open(t, func(c *pool.Config[int]) {
		c.Constructor = func(ctx context.Context) (int, error) {
			trace.WithRegion(ctx, "connect", func() {})
			return 0, nil
		}
		c.Tenancy.Prepare = func(ctx context.Context, _ int, h pool.Handover) error {
			trace.WithRegion(ctx, "set tenant", func() {})
			if h.Tenant == "b" {
				return broken
			}
			return nil
		}
	})
	var b bytes.Buffer
	require.NoError(t, trace.Start(&b))
	require.NoError(t, p.Do(background, "a\xff", func(context.Context, int) error { return nil }))
	require.ErrorIs(t, p.Do(background, "b", nil), broken)
	require.NoError(t, p.Shutdown(background))
	trace.Stop()
	got := read(t, &b)
	for task, n := range map[string]int{
		"fairpool.acquire": 2, "fairpool.wait": 2, // the last try is a resource built for it
		"fairpool.prepare": 4, "fairpool.build": 3, "fairpool.destroy": 3,
	} {
		require.Equal(t, n, got.begun[task], task)
		require.Equal(t, n, got.ended[task], task)
	}
	for region, n := range map[string]int{"fairpool.acquire": 2, "fairpool.wait": 2, "connect": 3, "set tenant": 4} {
		require.Equal(t, n, got.regions[region], region)
	}
	require.Equal(t, "fairpool.acquire", got.within["fairpool.prepare"])
	require.Equal(t, "fairpool.acquire", got.within["fairpool.wait"])
	require.Equal(t, []string{`"a\xff"`, "b"}, got.logs["fairpool.acquire fairpool.tenant"])
	require.Equal(t, []string{"1"}, got.logs["fairpool.acquire fairpool.resource"])
	require.Len(t, got.logs["fairpool.acquire fairpool.error"], 1)
	require.Equal(t, []string{"prepare failed", "prepare failed", "prepare failed"}, got.logs["fairpool.destroy fairpool.retired"])
}

// Without EachAcquire there is nothing to see of an Acquire that does not wait.
func TestOnlyWaitsAreInTheTraceUnlessEachAcquireIsAskedFor(t *testing.T) {
	p := open(t, func(c *pool.Config[int]) { c.Trace = tracefair.Trace() })
	var b bytes.Buffer
	require.NoError(t, trace.Start(&b))
	for range 10 { // of which the first waits for the build
		require.NoError(t, p.Do(background, "a", func(context.Context, int) error { return nil }))
	}
	trace.Stop()
	got := read(t, &b)
	require.Equal(t, map[string]int{"fairpool.wait": 1, "fairpool.build": 1}, got.begun)
	require.Equal(t, got.begun, got.ended)
	require.Equal(t, map[string]int{"fairpool.wait": 1}, got.regions)
	require.Equal(t, []string{"a"}, got.logs["fairpool.wait fairpool.tenant"])
}

// Tracing may begin and end in the middle of anything.
func TestTracingThatComesAndGoesEndsNothingTwice(t *testing.T) {
	inner := open(t, nil)
	stop := false
	outer := open(t, func(c *pool.Config[int]) {
		c.Tenancy.Prepare = func(ctx context.Context, _ int, _ pool.Handover) error {
			if stop {
				trace.Stop()
			}
			return inner.Do(ctx, "a", func(context.Context, int) error { return nil })
		}
	})
	use := func() {
		require.NoError(t, outer.Do(background, "a", func(context.Context, int) error { return nil }))
	}
	use()
	for _, stop = range []bool{true, false} {
		var b bytes.Buffer
		require.NoError(t, trace.Start(&b))
		use()
		trace.Stop()
		got := read(t, &b)
		if stop {
			require.Equal(t, 1, got.begun["fairpool.acquire"])
			require.Zero(t, got.ended["fairpool.acquire"])
		} else {
			require.Equal(t, 2, got.ended["fairpool.acquire"])
		}
	}
}

// The real flight recorder: what it writes is a trace of what led to it.
func TestTheFileOfAStarvationShowsTheWait(t *testing.T) {
	dumps := make(chan tracefair.Dump, 1)
	r, err := tracefair.NewRecorder(tracefair.RecorderOptions{
		Dir: t.TempDir(), After: 50 * time.Millisecond, Pause: time.Hour,
		Report: func(d tracefair.Dump) { dumps <- d },
	})
	require.NoError(t, err)
	defer r.Stop()
	_, err = tracefair.NewRecorder(tracefair.RecorderOptions{Dir: t.TempDir()})
	require.ErrorContains(t, err, "tracefair: ", "there can be only one")
	p := open(t, nil)
	ctx, stop := context.WithCancel(background)
	defer stop()
	go tracefair.Watch(ctx, r, "db", p)
	l, err := p.Acquire(ctx, "hog")
	require.NoError(t, err)
	waited := make(chan struct{})
	go func() {
		defer close(waited)
		if l, err := p.Acquire(ctx, "small"); err == nil {
			l.Release()
		}
	}()
	d := <-dumps
	l.Release()
	<-waited
	require.NoError(t, d.Err)
	require.Equal(t, "small", d.Why.Tenant)
	file, err := os.Open(d.Path)
	require.NoError(t, err)
	defer file.Close()
	got := read(t, file)
	require.Equal(t, []string{"hog", "small"}, got.logs["fairpool.acquire fairpool.tenant"])
	require.Equal(t, 2, got.begun["fairpool.acquire"])
	require.Equal(t, 1, got.ended["fairpool.acquire"], "the second still waits")
}

func TestAFlightRecorderThatRunsIsUsed(t *testing.T) {
	flight := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
	_, err := tracefair.NewRecorder(tracefair.RecorderOptions{Dir: t.TempDir(), Flight: flight})
	require.EqualError(t, err, "tracefair: RecorderOptions.Flight was not started")
	require.NoError(t, flight.Start())
	defer flight.Stop()
	r, err := tracefair.NewRecorder(tracefair.RecorderOptions{Dir: t.TempDir(), Flight: flight})
	require.NoError(t, err)
	path, err := r.Write(tracefair.Reason{Pool: "p"})
	require.NoError(t, err)
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	read(t, file)
	r.Stop()
	require.True(t, flight.Enabled(), "it is not the Recorder's own")
}

func TestOptionsThatCannotBeAreRefused(t *testing.T) {
	dir := t.TempDir()
	for message, o := range map[string]tracefair.RecorderOptions{
		`tracefair: RecorderOptions.Dir is "", must be a directory`:                                      {},
		`tracefair: RecorderOptions.Dir is "nowhere", must be a directory`:                               {Dir: "nowhere"},
		`tracefair: RecorderOptions.After is -1s, must not be negative`:                                  {Dir: dir, After: -time.Second},
		`tracefair: RecorderOptions.After is 5ns, must be at least 1ms; for seconds write 5*time.Second`: {Dir: dir, After: 5},
		`tracefair: RecorderOptions.Pause is -1s, must not be negative`:                                  {Dir: dir, Pause: -time.Second},
		`tracefair: RecorderOptions.MaxFiles is -1, must not be negative`:                                {Dir: dir, MaxFiles: -1},
	} {
		_, err := tracefair.NewRecorder(o)
		require.EqualError(t, err, message)
	}
}

// A semaphore can be watched too, whoever waits there.
func TestASemaphoreCanBeWatched(t *testing.T) {
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	require.NoError(t, err)
	defer s.Close()
	r, err := tracefair.NewRecorder(tracefair.RecorderOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	defer r.Stop()
	ctx, stop := context.WithCancel(background)
	over := make(chan struct{})
	go func() {
		defer close(over)
		tracefair.Watch(ctx, r, "api", s)
	}()
	stop()
	<-over
}

// BenchmarkCycle is what it costs an Acquire and Release while tracing is off.
func BenchmarkCycle(b *testing.B) {
	for name, set := range map[string]func(*pool.Config[int]){
		"plain":       func(c *pool.Config[int]) { c.Trace = pool.Trace{} },
		"Trace":       func(c *pool.Config[int]) { c.Trace = tracefair.Trace() },
		"EachAcquire": nil,
	} {
		b.Run(name, func(b *testing.B) {
			p := open(b, set)
			b.ReportAllocs()
			for b.Loop() {
				l, err := p.Acquire(background, "tenant-1")
				if err != nil {
					b.Fatal(err)
				}
				l.Release()
			}
		})
	}
}
