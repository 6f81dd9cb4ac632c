package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

const (
	goroutines = 200
	tenants    = 50

	// stuckAfter is how long nobody may be served. The backoff between failing
	// builds, the longest that anything should take, is ten seconds at most.
	stuckAfter = time.Minute
)

// A run is one pool under attack.
type run struct {
	t          *testing.T
	seed       uint64
	unit       time.Duration
	pool       *pool.Pool[*thing]
	factory    *factory
	detectLost bool
	over       chan struct{}
	waits      *hdrhistogram.Histogram // of all callers, when it is over
	stats      pool.Stats              // just before Shutdown

	granted atomic.Int64
	failed  atomic.Int64
	resizes atomic.Int64
}

func newRun(t *testing.T, s setup, seed uint64, unit time.Duration) *run {
	r := &run{t: t, seed: seed, unit: unit, over: make(chan struct{}), waits: newHistogram()}
	r.factory = &factory{faults: &faults{seed: seed, unit: unit}}
	cfg := s.config(r.factory)
	r.detectLost = cfg.Guard.DetectLost
	p, err := pool.New(cfg)
	require.NoError(t, err)
	r.pool = p
	return r
}

// newHistogram is one of microseconds, up to an hour, to two digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, time.Hour.Microseconds(), 2)
}

// begin takes note of a new holder of th, and checks that it is the only one.
// It reports false if the thing was destroyed before, which is right if the
// lease was revoked.
func (r *run) begin(th *thing, revoked func() bool) bool {
	r.granted.Add(1)
	if th.state.CompareAndSwap(idle, used) {
		if n := r.factory.holders.Add(1); n > maxSize {
			r.t.Errorf("%d holders in a pool of %d", n, maxSize)
		}
		return true
	}
	if th.state.Load() == used {
		r.t.Errorf("thing %d has two holders", th.id)
	} else if !revoked() {
		r.t.Errorf("thing %d is leased after its end", th.id)
	}
	return false
}

// end undoes begin. It reports false if the thing was destroyed meanwhile.
func (r *run) end(th *thing) bool {
	if !th.state.CompareAndSwap(used, idle) {
		return false
	}
	r.factory.holders.Add(-1)
	return true
}

func (r *run) isOver() bool { return isClosed(r.over) }

// attack lasts for d; then everything has to come back (invariant 3).
func (r *run) attack(d time.Duration) {
	var all sync.WaitGroup
	callers := make([]*caller, goroutines)
	for i := range callers {
		c := &caller{run: r, r: rand.New(rand.NewPCG(r.seed, uint64(i))), waits: newHistogram()}
		callers[i] = c
		all.Go(c.loop)
	}
	o := &operator{r, rand.New(rand.NewPCG(r.seed, goroutines))}
	all.Go(o.loop)
	r.watch(d)
	close(r.over)
	all.Wait()
	r.factory.faults.over.Store(true)
	for _, c := range callers {
		r.waits.Merge(c.waits)
	}
	require.NoError(r.t, r.pool.Resize(maxSize))
	r.pool.Resume()
	callers = nil // their stale leases
	r.settle()
	r.refill()
	r.finish()
}

// watch lets d pass, and longer if the machine is so slow that hardly anybody is
// served in that time. It fails if nobody is for long.
func (r *run) watch(d time.Duration) {
	end, last, since := time.Now().Add(d), int64(-1), time.Now()
	for left := d; left > 0 || last < goroutines; left = time.Until(end) {
		time.Sleep(min(max(left, time.Millisecond), time.Second))
		if n := r.granted.Load(); n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > stuckAfter {
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			r.t.Fatalf("nobody was served for %v: %+v\n%s", stuckAfter, r.pool.Stats(), stacks)
		}
	}
}

// settle waits until no lease is out and nothing is built or destroyed. Lost
// leases come back when the garbage collector has noticed.
func (r *run) settle() {
	require.Eventually(r.t, func() bool {
		if r.detectLost {
			runtime.GC()
		}
		s := r.pool.Stats()
		return s.InUse+s.Waiting+s.Building+s.Destroying == 0
	}, stuckAfter, 10*time.Millisecond, "something never came back: %+v", r.pool.Stats())
}

// refill leases every resource that there may be, at once, to strangers.
func (r *run) refill() {
	var out []pool.Lease[*thing]
	for i, end := 0, time.Now().Add(stuckAfter); len(out) < maxSize; i++ {
		l, err := r.pool.Acquire(context.Background(), fmt.Sprint("new-", i))
		if err == nil { // a build that failed before may fail one more
			out = append(out, l)
		}
		require.True(r.t, time.Now().Before(end), "%d of %d can be leased: %v", len(out), maxSize, err)
	}
	s := r.pool.Stats()
	require.Equal(r.t, maxSize, s.InUse)
	require.Zero(r.t, s.Waiting)
	for _, l := range out {
		l.Release()
	}
}

// finish closes the pool: nothing may be left of it.
func (r *run) finish() {
	r.settle()
	r.stats = r.pool.Stats()
	ctx, cancel := context.WithTimeout(context.Background(), stuckAfter)
	defer cancel()
	require.NoError(r.t, r.pool.Shutdown(ctx))
	building, live, dying, most, wrong := r.factory.count()
	require.Zero(r.t, building, "constructors still running")
	require.Zero(r.t, live, "things left alive")
	require.Zero(r.t, dying, "destructors still running")
	require.LessOrEqual(r.t, most, maxSize, "things at once")
	require.Empty(r.t, wrong)
	r.factory.mu.Lock()
	defer r.factory.mu.Unlock()
	s := r.pool.Stats()
	require.Equal(r.t, s.Built, s.Destroyed+s.Hijacked)
	require.Equal(r.t, r.factory.gone, s.Hijacked)
	require.Equal(r.t, r.factory.ends, s.Destroyed)
	require.Zero(r.t, s.InUse)
}
