package upstream_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/upstream"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func newSemaphore(t *testing.T, cfg fairshare.Config) *fairshare.Semaphore {
	t.Helper()
	sem, err := fairshare.NewSemaphore(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.Zero(t, sem.Stats().InUse, "slots that never came back") })
	return sem
}

func newUpstream(t *testing.T, slots upstream.Slots[fairshare.Permit], cfg upstream.Config) *upstream.Upstream {
	t.Helper()
	u, err := upstream.New(slots, cfg, "test")
	require.NoError(t, err)
	return u
}

func begin(t *testing.T, u *upstream.Upstream) *upstream.Call {
	t.Helper()
	ctx := fairshare.WithTenant(context.Background(), "a")
	c, refusal := u.Begin(ctx, func() string { return "GET /" })
	require.Nil(t, refusal)
	return c
}

func TestAPauseHoldsBackEverybodyUntilItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sem := newSemaphore(t, fairshare.Config{Capacity: 10})
		u := newUpstream(t, sem, upstream.Config{})
		c := begin(t, u)
		c.Overloaded(3 * time.Second)
		c.End()
		require.Equal(t, 3*time.Second, u.Stats().PausedFor)
		require.Equal(t, 7, u.Stats().Capacity)
		require.Equal(t, 7, sem.Stats().Capacity)

		from := time.Now()
		begin(t, u).End()
		require.Equal(t, 3*time.Second, time.Since(from))
		require.Zero(t, u.Stats().PausedFor)
		require.EqualValues(t, 1, u.Stats().Pauses)
	})
}

func TestAPauseIsBoundedAndCanBeProlonged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sem := newSemaphore(t, fairshare.Config{Capacity: 10})
		u := newUpstream(t, sem, upstream.Config{MaxPause: 10 * time.Second})
		one, two := begin(t, u), begin(t, u)
		from := time.Now()
		one.Overloaded(24 * time.Hour)
		time.Sleep(4 * time.Second)
		two.Overloaded(24 * time.Hour)
		one.End()
		two.End()
		begin(t, u).End()
		require.Equal(t, 14*time.Second, time.Since(from))
	})
}

func TestFixedSlotsAreLeftAlone(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 10})
	u := newUpstream(t, sem, upstream.Config{Fixed: true})
	c := begin(t, u)
	c.Overloaded(time.Hour)
	c.End()
	begin(t, u).End()
	require.Equal(t, 10, sem.Stats().Capacity)
	require.EqualValues(t, 1, u.Stats().Overloads)
	require.Zero(t, u.Stats().Decreases)
}

func TestAPoolIsAdaptedLikeASemaphore(t *testing.T) {
	p, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { return 1, nil },
		MaxSize:     8,
	})
	require.NoError(t, err)
	defer p.Close()
	u, err := upstream.New(p, upstream.Config{}, "test")
	require.NoError(t, err)
	c := begin(t, u)
	c.Overloaded(50 * time.Millisecond)
	require.Equal(t, 5, p.Stats().Capacity)
	require.True(t, p.Stats().Suspended)
	c.End()
	begin(t, u).End()
	require.False(t, p.Stats().Suspended)
	require.NoError(t, u.Stats().Err)
}

// A ShareFunc is run by whoever resizes. It may look at the figures.
func TestCodeOfTheUserRunsWithoutTheLock(t *testing.T) {
	var u atomic.Pointer[upstream.Upstream]
	var seen atomic.Int64
	sem := newSemaphore(t, fairshare.Config{Capacity: 10, ShareFunc: func(capacity, tenants int) int {
		if up := u.Load(); up != nil {
			seen.Store(int64(up.Stats().Capacity))
		}
		return capacity
	}})
	u.Store(newUpstream(t, sem, upstream.Config{}))
	c := begin(t, u.Load())
	c.Overloaded(0)
	c.End()
	require.EqualValues(t, 7, seen.Load())
}

// However many answers come in at once, the slots end up as the figures say.
func TestTheSlotsFollowTheCapacity(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 64})
	u := newUpstream(t, sem, upstream.Config{IncreaseAfter: time.Millisecond})
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for j := range 50 {
				c := begin(t, u)
				switch {
				case (i+j)%23 == 0:
					c.Overloaded(time.Duration(j%3) * 100 * time.Microsecond)
				default:
					c.Succeeded()
				}
				c.End()
			}
		})
	}
	all.Wait()
	require.Eventually(t, func() bool { return u.Stats().PausedFor == 0 }, 10*time.Second, time.Millisecond)
	begin(t, u).End()
	require.Equal(t, u.Stats().Capacity, sem.Stats().Capacity)
	require.Zero(t, u.Stats().InFlight)
	require.NotZero(t, u.Stats().Decreases)
}

func TestACallThatLastsIsReportedAndItsEndToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leaks := make(chan upstream.Leak, 2)
		sem := newSemaphore(t, fairshare.Config{Capacity: 1})
		u := newUpstream(t, sem, upstream.Config{
			LeakAfter: time.Minute,
			Leak:      func(l upstream.Leak) { leaks <- l },
		})
		begin(t, u).End()
		c := begin(t, u)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		require.Empty(t, leaks)
		time.Sleep(2 * time.Second)
		l := <-leaks
		require.Equal(t, "a", l.Tenant)
		require.Equal(t, "GET /", l.Call)
		require.Equal(t, time.Minute, l.Held)
		require.Contains(t, l.Stack, "TestACallThatLastsIsReported")
		require.False(t, l.Ended)
		c.End()
		c.End()
		require.Len(t, leaks, 1)
		l = <-leaks
		require.True(t, l.Ended)
		require.Equal(t, 61*time.Second, l.Held)
		require.EqualValues(t, 1, u.Stats().Leaks)
	})
}

type handle struct{ call *upstream.Call }

func TestACallThatNobodyCanEndIsEnded(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	reports := make(chan upstream.Leak, 1)
	aborted := make(chan struct{})
	u := newUpstream(t, sem, upstream.Config{Leak: func(l upstream.Leak) { reports <- l }})
	func() {
		c := begin(t, u)
		upstream.EndWith(&handle{c}, c, func() { close(aborted) })
	}()
	collect(t, aborted)
	require.True(t, (<-reports).Lost)
	begin(t, u).End() // the slot is back
	require.EqualValues(t, 1, u.Stats().Lost)
}

func TestACallThatHasEndedIsNotLost(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	u := newUpstream(t, sem, upstream.Config{Leak: func(upstream.Leak) { t.Error("reported") }})
	func() {
		c := begin(t, u)
		h := &handle{c}
		upstream.EndWith(h, c, func() { t.Error("aborted") })
		h.call.End()
	}()
	done := make(chan struct{})
	func() { runtime.AddCleanup(&handle{}, func(int) { close(done) }, 0) }()
	collect(t, done)
	runtime.GC()
	require.Zero(t, u.Stats().Lost)
}

// collect runs the garbage collector until it has found what it should.
func collect(t *testing.T, found <-chan struct{}) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		runtime.GC()
		select {
		case <-found:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("nothing was collected")
}

func TestAPanicInLeakShowsInTheFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sem := newSemaphore(t, fairshare.Config{Capacity: 1})
		u := newUpstream(t, sem, upstream.Config{
			LeakAfter: time.Second,
			Leak:      func(upstream.Leak) { panic("oh no") },
		})
		c := begin(t, u)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.ErrorContains(t, u.Stats().Err, "oh no")
		c.End()
	})
}

func TestWrongFieldsAreNamed(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 4})
	leak := func(upstream.Leak) {}
	for want, cfg := range map[string]upstream.Config{
		"test.Min is -1,":             {Min: -1},
		"test.Min is 5,":              {Min: 5},
		"test.IncreaseAfter is -1ns,": {IncreaseAfter: -1},
		"test.MaxPause is -1s,":       {MaxPause: -time.Second},
		"test.LeakAfter is -1ns,":     {LeakAfter: -1, Leak: leak},
		"test.LeakAfter is 1s, but":   {LeakAfter: time.Second},

		"test.IncreaseAfter is 5ns, must be at least 1ms; for seconds write 5*time.Second": {IncreaseAfter: 5},
		"test.MaxPause is 60ns, must be at least 1ms":                                      {MaxPause: 60},
		"test.LeakAfter is 30ns, must be at least 1ms":                                     {LeakAfter: 30, Leak: leak},
	} {
		_, err := upstream.New(sem, cfg, "test")
		require.Error(t, err)
		require.True(t, strings.HasPrefix(err.Error(), want), err.Error())
	}
	_, err := upstream.New(silent{sem}, upstream.Config{}, "test")
	require.ErrorContains(t, err, "capacity")
	_, err = upstream.New(silent{sem}, upstream.Config{Fixed: true}, "test")
	require.NoError(t, err)
}

// silent is a semaphore that tells no figures.
type silent struct {
	upstream.Slots[fairshare.Permit]
}
