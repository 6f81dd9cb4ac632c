package adaptfair_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/adaptfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func newSemaphore(t *testing.T, capacity int) *fairshare.Semaphore {
	t.Helper()
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: capacity})
	require.NoError(t, err)
	t.Cleanup(func() { require.Zero(t, sem.Stats().InUse) })
	return sem
}

// load has so many clients call the backend through the gate for a while.
func load(gate *adaptfair.Gate[fairshare.Permit], clients int, lasts time.Duration, call func() (served bool)) {
	var all sync.WaitGroup
	begun := time.Now()
	for range clients {
		all.Go(func() {
			for time.Since(begun) < lasts {
				held, err := gate.Acquire(context.Background(), "a")
				if err != nil {
					panic(err)
				}
				if call() {
					held.Release()
				} else {
					held.Fail()
				}
			}
		})
	}
	all.Wait()
}

func TestALimitThatTheLoadDoesNotFillStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sem := newSemaphore(t, 50)
		gate, err := adaptfair.NewGate(sem, adaptfair.Config{})
		require.NoError(t, err)
		load(gate, 10, time.Minute, func() bool { time.Sleep(20 * time.Millisecond); return true })
		require.Equal(t, 50, gate.Limiter().Stats().Level)
		require.Zero(t, gate.Limiter().Stats().Moves)
		time.Sleep(time.Hour) // idle
		load(gate, 1, time.Second, func() bool { time.Sleep(20 * time.Millisecond); return true })
		require.Equal(t, 50, sem.Stats().Capacity)
	})
}

func TestABackendThatRefusesWhatItDoesNotBearIsFound(t *testing.T) {
	for _, start := range []int{2, 40} {
		synctest.Test(t, func(t *testing.T) {
			const bears = 10
			sem := newSemaphore(t, start)
			gate, err := adaptfair.NewGate(sem, adaptfair.Config{})
			require.NoError(t, err)
			var mu sync.Mutex
			inside := 0
			load(gate, 60, 30*time.Second, func() bool {
				mu.Lock()
				if inside == bears {
					mu.Unlock()
					time.Sleep(2 * time.Millisecond)
					return false
				}
				inside++
				mu.Unlock()
				time.Sleep(20 * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				inside--
				return true
			})
			require.InDelta(t, bears, gate.Limiter().Stats().Limit, 2)
		})
	}
}

// A backend that serves nothing for a while says nothing of what it bears.
func TestAnOutageLeavesTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sem := newSemaphore(t, 8)
		gate, err := adaptfair.NewGate(sem, adaptfair.Config{})
		require.NoError(t, err)
		b := newBackend(8, 20*time.Millisecond, false, 1)
		load(gate, 60, 10*time.Second, func() bool { b.call(); return true })
		load(gate, 60, 60*time.Second, func() bool { time.Sleep(time.Millisecond); return false })
		require.InDelta(t, 8, gate.Limiter().Stats().Limit, 1)
		require.InDelta(t, 8, gate.Limiter().Stats().Level, 1)
	})
}

func TestTheLimitKeepsToItsBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sem := newSemaphore(t, 20)
		gate, err := adaptfair.NewGate(sem, adaptfair.Config{Min: 12, Max: 30})
		require.NoError(t, err)
		b := newBackend(4, 20*time.Millisecond, false, 1)
		load(gate, 60, 20*time.Second, func() bool { b.call(); return true })
		require.Equal(t, 12, gate.Limiter().Stats().Limit)
		b = newBackend(100, 20*time.Millisecond, false, 1)
		load(gate, 60, 20*time.Second, func() bool { b.call(); return true })
		require.Equal(t, 30, gate.Limiter().Stats().Limit)

		require.NoError(t, gate.Resize(15)) // as httpfair.Transport does
		require.Equal(t, 15, gate.Limiter().Stats().Max)
		load(gate, 60, time.Second, func() bool { b.call(); return true })
		require.LessOrEqual(t, gate.Limiter().Stats().Level, 15)
		require.ErrorContains(t, gate.Resize(11), "Min of 12")
	})
}

func TestAPoolIsDrivenByItsTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter, err := adaptfair.New(adaptfair.Config{})
		require.NoError(t, err)
		p, err := pool.New(pool.Config[int]{
			Constructor: func(context.Context) (int, error) { return 1, nil },
			MaxSize:     60,
			Trace:       limiter.Trace(),
		})
		require.NoError(t, err)
		require.NoError(t, limiter.Drive(p))
		require.ErrorContains(t, limiter.Drive(p), "already")
		b := newBackend(8, 20*time.Millisecond, false, 1)
		var all sync.WaitGroup
		begun := time.Now()
		for range 80 {
			all.Go(func() {
				for time.Since(begun) < 15*time.Second {
					lease, err := p.Acquire(context.Background(), "a")
					if err != nil {
						panic(err)
					}
					b.call()
					lease.Release()
				}
			})
		}
		all.Wait()
		require.InDelta(t, 8, limiter.Stats().Limit, 1)
		require.Equal(t, limiter.Stats().Level, p.Stats().Capacity)
		require.Zero(t, limiter.Stats().InFlight)
		p.Close()
	})
}

func TestASlotOfALeaseIsThatOfItsPool(t *testing.T) {
	p, err := pool.New(pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "tab", nil },
		MaxSize:     1,
	})
	require.NoError(t, err)
	defer p.Close()
	gate, err := adaptfair.NewGate(p, adaptfair.Config{})
	require.NoError(t, err)
	held, err := gate.Acquire(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "tab", held.Permit().Value())
	ctx, cancel := held.Context(t.Context())
	defer cancel()
	require.Equal(t, 1, p.Revoke(errors.New("wanted"), func(pool.Holder) bool { return true }))
	<-ctx.Done()
	held.Destroy()
	held.Release()
	require.Zero(t, gate.Limiter().Stats().InFlight)
	require.Eventually(t, func() bool { return p.Stats().Destroyed == 1 }, 10*time.Second, time.Millisecond)

	gate.Suspend()
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	_, err = gate.Acquire(ctx, "a")
	require.ErrorIs(t, err, context.Canceled)
	gate.Resume()
	adaptfair.Held[fairshare.Permit]{}.Release()
}

func TestWrongConfigsAreNamed(t *testing.T) {
	for want, cfg := range map[string]adaptfair.Config{
		"Config.Min is -1, must not be negative; 0 means 1":                     {Min: -1},
		"Config.Max is -1, must not be negative":                                {Max: -1},
		"Config.Min is 3, more than the Max of 2":                               {Min: 3, Max: 2},
		"the slots have a capacity of 8, must be between Min, 9, and Max, 1000": {Min: 9},
		"the slots have a capacity of 8, must be between Min, 1, and Max, 7":    {Max: 7},
	} {
		_, err := adaptfair.NewGate(newSemaphore(t, 8), cfg)
		require.EqualError(t, err, "adaptfair: "+want)
	}
	limiter, err := adaptfair.New(adaptfair.Config{})
	require.NoError(t, err)
	require.ErrorContains(t, limiter.Drive(silent{}), "no Stats")
}

type silent struct{}

func (silent) Resize(int) error { return nil }

// slow hands its slots on late, as a machine does that has much else to do.
type slow struct{ *fairshare.Semaphore }

func (s slow) Acquire(ctx context.Context, tenant string) (fairshare.Permit, error) {
	p, err := s.Semaphore.Acquire(ctx, tenant)
	time.Sleep(15 * time.Millisecond)
	return p, err
}

func TestTheLimitAllowsForTheTimeFromOneCallToTheNext(t *testing.T) {
	for _, start := range []int{1, 100} {
		synctest.Test(t, func(t *testing.T) {
			gate, err := adaptfair.NewGate(slow{newSemaphore(t, start)}, adaptfair.Config{})
			require.NoError(t, err)
			b := newBackend(8, 20*time.Millisecond, false, 1)
			load(gate, 150, 20*time.Second, func() bool { b.call(); return true })
			require.InDelta(t, 8*(20+15)/20, gate.Limiter().Stats().Limit, 2)
		})
	}
}
