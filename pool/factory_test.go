package pool_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

var background = context.Background()

// A thing is the resource of these tests.
type thing struct {
	id    int // counts from 1, in the order of the builds
	inUse atomic.Bool
	ended atomic.Bool
}

// A factory makes things and ends them, and keeps its own count of them.
type factory struct {
	// What the constructor and the destructor do apart from counting; nil is
	// nothing. n counts the builds from 1.
	build func(ctx context.Context, n int) error
	end   func(*thing)

	mu                    sync.Mutex
	builds, ends          int // calls so far
	building, live, dying int
	mostBuilding, most    int         // at once; most: of building, live and dying together
	starts                []time.Time // of the builds
	faults                []string
}

func (f *factory) construct(ctx context.Context) (*thing, error) {
	f.mu.Lock()
	f.builds++
	n := f.builds
	f.building++
	f.mostBuilding = max(f.mostBuilding, f.building)
	f.most = max(f.most, f.building+f.live+f.dying)
	f.starts = append(f.starts, time.Now())
	f.mu.Unlock()

	built := 0
	defer func() { // build may panic or call Goexit
		f.mu.Lock()
		defer f.mu.Unlock()
		f.building--
		f.live += built
	}()
	if f.build != nil {
		if err := f.build(ctx, n); err != nil {
			return nil, err
		}
	}
	built = 1
	return &thing{id: n}, nil
}

func (f *factory) destroy(th *thing) {
	f.mu.Lock()
	f.ends++
	f.live--
	f.dying++
	if th.inUse.Load() {
		f.faults = append(f.faults, fmt.Sprintf("thing %d destroyed while leased", th.id))
	}
	if !th.ended.CompareAndSwap(false, true) {
		f.faults = append(f.faults, fmt.Sprintf("thing %d destroyed twice", th.id))
	}
	f.mu.Unlock()

	defer func() { // end may panic or call Goexit
		f.mu.Lock()
		defer f.mu.Unlock()
		f.dying--
	}()
	if f.end != nil {
		f.end(th)
	}
}

// hijack is Lease.Hijack. The thing is written off first, for the pool may
// build another before Hijack has returned.
func (f *factory) hijack(l pool.Lease[*thing]) *thing {
	f.mu.Lock()
	f.live--
	f.mu.Unlock()
	return l.Hijack()
}

// count returns a consistent look at what exists.
func (f *factory) count() (building, live, dying int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.building, f.live, f.dying
}

func (f *factory) buildCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.builds
}

func (f *factory) endCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ends
}

// newPool returns a pool of the factory's things. When the test ends, whatever
// happened in it, everything has to come back (invariant 3) and the count of
// the factory has to agree with the pool's (invariants 1 and 2).
func newPool(t *testing.T, f *factory, cfg pool.Config[*thing]) *pool.Pool[*thing] {
	t.Helper()
	cfg.Constructor, cfg.Destructor = f.construct, f.destroy
	p, err := pool.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(background, time.Hour)
		defer cancel()
		require.NoError(t, p.Shutdown(ctx), "something never came back")
		building, live, dying := f.count()
		require.Zero(t, building, "constructors still running")
		require.Zero(t, live, "things alive after Shutdown")
		require.Zero(t, dying, "destructors still running")
		require.Empty(t, f.faults)
		require.LessOrEqual(t, f.most, cfg.MaxSize, "invariant 1: more things at once than MaxSize")
		require.Zero(t, p.Stats().InUse)
	})
	return p
}

// sized is the configuration of a pool with the given MaxSize.
func sized(maxSize int) pool.Config[*thing] { return pool.Config[*thing]{MaxSize: maxSize} }

// sharing is the configuration of a pool with the given MaxSize and sharing.
func sharing(maxSize int, cfg fairshare.Config) pool.Config[*thing] {
	return pool.Config[*thing]{MaxSize: maxSize, Sharing: cfg}
}

// acquire leases a thing, which has to succeed.
func acquire(t *testing.T, p *pool.Pool[*thing], tenant string) pool.Lease[*thing] {
	t.Helper()
	l, err := p.Acquire(background, tenant)
	require.NoError(t, err)
	return l
}

// A pending is an Acquire under way in a goroutine of its own.
type pending struct {
	done   chan struct{}
	lease  pool.Lease[*thing]
	err    error
	waited time.Duration
}

// begin starts an Acquire, and returns when it blocks or is over. It needs a
// bubble.
func begin(ctx context.Context, p *pool.Pool[*thing], tenant string) *pending {
	w := &pending{done: make(chan struct{})}
	start := time.Now()
	go func() {
		defer close(w.done)
		w.lease, w.err = p.Acquire(ctx, tenant)
		w.waited = time.Since(start)
	}()
	synctest.Wait()
	return w
}

// over reports whether the Acquire has returned.
func (w *pending) over() bool {
	synctest.Wait()
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// granted waits for the Acquire, which has to succeed.
func (w *pending) granted(t *testing.T) pool.Lease[*thing] {
	t.Helper()
	<-w.done
	require.NoError(t, w.err)
	return w.lease
}

// failed waits for the Acquire, which has to fail.
func (w *pending) failed(t *testing.T) *pool.AcquireError {
	t.Helper()
	<-w.done
	var e *pool.AcquireError
	require.ErrorAs(t, w.err, &e)
	return e
}
