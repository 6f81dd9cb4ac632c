package pool_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// These tests are outside the bubbles: the garbage collector keeps no virtual
// time.

// losing is the configuration of a pool that takes back lost leases.
func losing(maxSize int) pool.Config[*thing] {
	cfg := sized(maxSize)
	cfg.Guard.DetectLost = true
	return cfg
}

// collect collects garbage until done, which has to come to be.
func collect(t *testing.T, done func() bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		runtime.GC()
		return done()
	}, 20*time.Second, time.Millisecond)
}

// collectInVain gives the garbage collector some occasions.
func collectInVain() {
	for range 5 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

//go:noinline
func loseALease(t *testing.T, p *pool.Pool[*thing], tenant string) {
	l, err := p.Acquire(background, tenant)
	require.NoError(t, err)
	require.NotNil(t, l.Value())
}

func TestALostLeaseIsTakenBackAndReported(t *testing.T) {
	f, leaks := &factory{}, make(chan pool.Leak, 10)
	cfg := losing(1)
	cfg.Trace.Leak = func(l pool.Leak) { leaks <- l }
	p := newPool(t, f, cfg)
	loseALease(t, p, "careless")
	done := make(chan pool.Lease[*thing], 1)
	go func() {
		l, _ := p.Acquire(background, "waiting")
		done <- l
	}()
	collect(t, func() bool { return p.Stats().Lost == 1 })

	leak := <-leaks
	require.Equal(t, "careless", leak.Tenant)
	require.EqualValues(t, 1, leak.Resource)
	require.Positive(t, leak.Held)
	require.True(t, leak.Lost)
	require.False(t, leak.Returned)
	first, _, _ := strings.Cut(leak.Stack, "\n")
	require.Contains(t, first, "loseALease")
	require.Contains(t, leak.Stack, t.Name())

	l := <-done
	require.Equal(t, 2, l.Value().id, "the lost one is destroyed")
	require.EqualValues(t, 1, p.Stats().Retired[pool.Lost])
	l.Release()
	require.Empty(t, leaks)
	require.Zero(t, p.Stats().Leaks, "nobody asked for a limit")
}

func TestALeaseInUseIsNeverTakenForLost(t *testing.T) {
	p := newPool(t, &factory{}, losing(8))
	kept := acquire(t, p, "kept")
	copied := []any{kept}
	stored := map[string]pool.Lease[*thing]{"stored": acquire(t, p, "stored")}
	leased, end := make(chan struct{}), make(chan struct{})
	var users sync.WaitGroup
	users.Go(func() {
		l, err := p.Acquire(background, "deferred")
		if err != nil {
			t.Error(err)
			return
		}
		defer l.Release()
		leased <- struct{}{}
		<-end
	})
	users.Go(func() {
		if err := p.Do(background, "done", func(context.Context, *thing) error {
			leased <- struct{}{}
			<-end
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-leased
	<-leased
	collectInVain()
	stats := p.Stats()
	require.Zero(t, stats.Lost)
	require.Equal(t, 4, stats.Leased)
	close(end)
	users.Wait()
	copied[0].(pool.Lease[*thing]).Release()
	require.Empty(t, kept.Tenant(), "a copy is the same lease")
	l := stored["stored"]
	require.Equal(t, "stored", l.Tenant())
	l.Release()
	require.Zero(t, p.Stats().Lost)
}

func TestALeaseThatHasEndedIsNotLost(t *testing.T) {
	f := &factory{}
	p := newPool(t, f, losing(1))
	for _, end := range []func(pool.Lease[*thing]){
		pool.Lease[*thing].Release,
		pool.Lease[*thing].Destroy,
		func(l pool.Lease[*thing]) { f.hijack(l) },
		func(pool.Lease[*thing]) {
			p.Revoke(nil, func(pool.Holder) bool { return true })
		},
	} {
		func() { end(acquire(t, p, "a")) }()
	}
	// The one that was revoked is lost before its time is up; no other.
	collect(t, func() bool { return p.Stats().Lost == 1 })
	next := acquire(t, p, "b")
	collectInVain()
	require.Equal(t, "b", next.Tenant())
	require.EqualValues(t, 1, p.Stats().Lost)
	next.Release()
}

func TestALostLeaseDoesNotHoldUpShutdown(t *testing.T) {
	p := newPool(t, &factory{}, losing(2))
	loseALease(t, p, "a")
	loseALease(t, p, "b")
	p.Close()
	collect(t, func() bool { return p.Stats().Lost == 2 })
	ctx, cancel := context.WithTimeout(background, 10*time.Second)
	defer cancel()
	require.NoError(t, p.Shutdown(ctx))
}

func TestALeakThatIsLostIsReportedAsBoth(t *testing.T) {
	leaks := make(chan pool.Leak, 10)
	cfg := losing(1)
	cfg.Guard.LeakAfter = time.Millisecond
	cfg.Trace.Leak = func(l pool.Leak) { leaks <- l }
	p := newPool(t, &factory{}, cfg)
	func() {
		l := acquire(t, p, "a")
		leak := <-leaks
		require.False(t, leak.Lost)
		require.Equal(t, "a", l.Tenant(), "it is not lost yet")
	}()
	collect(t, func() bool { return p.Stats().Lost == 1 })
	leak := <-leaks
	require.True(t, leak.Lost)
	require.False(t, leak.Returned)
	leak = <-leaks
	require.True(t, leak.Returned)
	require.EqualValues(t, 1, p.Stats().Leaks)
}

func TestALeaseIsNotLookedForByDefault(t *testing.T) {
	f := &factory{}
	cfg := sized(1)
	cfg.Reclaim.Grace = time.Millisecond
	p := newPool(t, f, cfg)
	loseALease(t, p, "a")
	collectInVain()
	require.Zero(t, p.Stats().Lost)
	require.Zero(t, f.endCount())
	p.Revoke(nil, func(pool.Holder) bool { return true })
}
