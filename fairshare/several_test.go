package fairshare_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func several(t *testing.T, cfg fairshare.Config) *fairshare.Semaphore {
	s, err := fairshare.NewSemaphore(cfg)
	require.NoError(t, err)
	return s
}

func acquireN(t *testing.T, s *fairshare.Semaphore, tenant string, n int) fairshare.Permit {
	t.Helper()
	p, err := s.AcquireN(context.Background(), tenant, n)
	require.NoError(t, err)
	require.Equal(t, n, p.Slots())
	return p
}

// An attempt is an AcquireN in a goroutine of its own.
type attempt struct {
	permit fairshare.Permit
	err    error
	done   atomic.Bool
	cancel context.CancelFunc
}

func (a *attempt) over() bool { return a.done.Load() }

func attemptN(s *fairshare.Semaphore, tenant string, n int) *attempt {
	ctx, cancel := context.WithCancel(context.Background())
	a := &attempt{cancel: cancel}
	go func() {
		a.permit, a.err = s.AcquireN(ctx, tenant, n)
		a.done.Store(true)
	}()
	synctest.Wait()
	return a
}

func TestOnePermitIsForSeveralSlots(t *testing.T) {
	s := several(t, fairshare.Config{Capacity: 4})
	p := acquireN(t, s, "a", 3)
	require.Equal(t, 3, s.Stats().InUse)
	_, ok := s.TryAcquireN("b", 2)
	require.False(t, ok)
	q, ok := s.TryAcquireN("b", 1)
	require.True(t, ok)
	again := p
	p.Release()
	again.Release()
	require.Zero(t, again.Slots())
	require.Equal(t, 1, s.Stats().InUse, "released once")
	member := s.Join("a")
	r, ok := member.TryAcquireN(3)
	require.True(t, ok)
	require.Equal(t, 3, r.Slots())
	q.Release()
	r.Release()
	r, err := member.AcquireN(context.Background(), 4)
	require.NoError(t, err)
	require.Equal(t, 4, s.Stats().InUse)
	r.Release()
	require.Zero(t, s.Stats().InUse)
	for _, n := range []int{0, -1} {
		_, err := s.AcquireN(context.Background(), "a", n)
		require.ErrorContains(t, err, fmt.Sprintf("acquire of %d slots", n))
		_, ok := s.TryAcquireN("a", n)
		require.False(t, ok)
	}
}

func TestALargeRequestHoldsNothingWhileItWaitsAndBlocksNobodyBeyondOneHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := several(t, fairshare.Config{Capacity: 4})
		var out []fairshare.Permit
		for range 4 {
			out = append(out, acquireN(t, s, "small", 1))
		}
		time.Sleep(time.Second)
		large := attemptN(s, "large", 3)
		small := attemptN(s, "small", 1)
		for i, p := range out[:2] {
			p.Release()
			synctest.Wait()
			require.False(t, large.over() || small.over(), "slots are collected")
			require.Equal(t, 3-i, s.Stats().InUse)
		}
		out[2].Release()
		synctest.Wait()
		require.True(t, large.over())
		require.NoError(t, large.err)
		require.Equal(t, 3, large.permit.Slots())
		require.False(t, small.over())
		large.permit.Release()
		synctest.Wait()
		require.True(t, small.over())
		require.Equal(t, 2, s.Stats().InUse)
		small.permit.Release()
		out[3].Release()
	})
}

func TestTooManySlotsFailAtOnceAndSayWhichLimitItIs(t *testing.T) {
	for _, c := range []struct {
		cfg    fairshare.Config
		n      int
		reason fairshare.Reason
		text   string
	}{
		{fairshare.Config{Capacity: 4}, 5, fairshare.OverCapacity, "acquire of 5 slots for tenant \"a\": too many: the capacity is 4"},
		{fairshare.Config{Capacity: 4, Default: fairshare.Share{Max: 2}}, 3, fairshare.OverMax, "the tenant's Share.Max is 2"},
		{fairshare.Config{Capacity: 4, ShareFunc: func(int, int) int { return 3 }}, 4, fairshare.OverShare, "the tenant's share by ShareFunc is 3"},
	} {
		s := several(t, c.cfg)
		_, err := s.AcquireN(context.Background(), "a", c.n)
		require.ErrorIs(t, err, fairshare.ErrTooLarge)
		require.ErrorContains(t, err, c.text)
		var e *fairshare.AcquireError
		require.ErrorAs(t, err, &e)
		require.Equal(t, c.reason, e.Reason)
		require.Equal(t, c.n, e.Slots)
		acquireN(t, s, "a", c.n-1).Release()
		require.Zero(t, s.Stats().InUse)
	}
}

// A strict share may grow when others leave.
func TestMoreThanAStrictShareWaitsForOthersToLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := several(t, fairshare.Config{Capacity: 4, ShareFunc: fairshare.EqualShare})
		p := acquireN(t, s, "other", 1)
		defer s.Join("a").Leave()
		a := attemptN(s, "a", 3)
		require.False(t, a.over())
		p.Release()
		synctest.Wait()
		require.True(t, a.over())
		require.NoError(t, a.err)
		a.permit.Release()
	})
}

// Whatever ends the wait of a request, what was kept for it goes to others at once.
func TestWhatWasCollectedGoesToOthersWhenTheRequestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(s *fairshare.Semaphore, large *attempt)
		want error
	}{
		"cancel":     {func(s *fairshare.Semaphore, a *attempt) { a.cancel() }, context.Canceled},
		"timeout":    {func(s *fairshare.Semaphore, a *attempt) { time.Sleep(time.Second) }, fairshare.ErrAcquireTimeout},
		"Resize":     {func(s *fairshare.Semaphore, a *attempt) { _ = s.Resize(3) }, fairshare.ErrTooLarge},
		"SetShare":   {func(s *fairshare.Semaphore, a *attempt) { _ = s.SetShare("large", fairshare.Share{Max: 2}) }, fairshare.ErrTooLarge},
		"full queue": {func(s *fairshare.Semaphore, a *attempt) { attemptN(s, "third", 1).cancel() }, fairshare.ErrQueueFull},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := several(t, fairshare.Config{
					Capacity: 4, AcquireTimeout: time.Second, MaxWaiting: 2,
					Tenants: map[string]fairshare.Share{"third": {Weight: 2}, "small": {Weight: 3}},
				})
				held := acquireN(t, s, "holder", 2)
				large := attemptN(s, "large", 4)
				time.Sleep(time.Second / 2)
				small := attemptN(s, "small", 1)
				require.False(t, small.over())
				c.end(s, large)
				synctest.Wait()
				require.True(t, large.over())
				require.ErrorIs(t, large.err, c.want)
				require.True(t, small.over())
				require.NoError(t, small.err)
				small.permit.Release()
				held.Release()
				require.Zero(t, s.Stats().InUse)
				require.Zero(t, s.Stats().Waiting)
			})
		})
	}
}

func TestCloseEndsALargeWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := several(t, fairshare.Config{Capacity: 2})
		held := acquireN(t, s, "holder", 1)
		large, small := attemptN(s, "large", 2), attemptN(s, "small", 1)
		s.Close()
		synctest.Wait()
		require.ErrorIs(t, large.err, fairshare.ErrClosed)
		require.ErrorIs(t, small.err, fairshare.ErrClosed)
		_, err := s.AcquireN(context.Background(), "large", 2)
		require.ErrorIs(t, err, fairshare.ErrClosed)
		held.Release()
		require.Zero(t, s.Stats().InUse)
	})
}

// At a capacity of 0 everybody waits, so it is no verdict on anybody's size.
func TestALargeRequestWaitsWhileThereAreNoSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := several(t, fairshare.Config{Capacity: 4})
		require.NoError(t, s.Resize(0))
		large := attemptN(s, "large", 3)
		require.False(t, large.over())
		require.NoError(t, s.Resize(3))
		synctest.Wait()
		require.NoError(t, large.err)
		require.Equal(t, 3, large.permit.Slots())
	})
}

// A permit that is never released must not stop everybody for the sake of a request
// that needs its slot.
func TestSlotsCollectedInVainGoToOthersInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := several(t, fairshare.Config{Capacity: 4, Horizon: time.Second})
		acquireN(t, s, "lost", 1)
		large := attemptN(s, "large", 4)
		small := attemptN(s, "small", 1)
		time.Sleep(15 * time.Second)
		require.False(t, small.over(), "16 mean holding times are not over")
		time.Sleep(2 * time.Second)
		require.True(t, small.over())
		require.False(t, large.over())
		small.permit.Release()
		small = attemptN(s, "small", 1)
		require.True(t, small.over(), "the large one has had more")
		small.permit.Release()
		large.cancel()
	})
}

func TestALargeRequestThatWouldBeLateIsRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := several(t, fairshare.Config{Capacity: 4, RejectLate: true})
		for range 8 {
			p := acquireN(t, s, "small", 4)
			time.Sleep(time.Second)
			p.Release()
		}
		for range 4 {
			defer acquireN(t, s, "small", 1).Release()
		}
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		_, err := s.AcquireN(ctx, "large", 4)
		require.ErrorIs(t, err, fairshare.ErrLate)
		var e *fairshare.AcquireError
		require.ErrorAs(t, err, &e)
		require.Greater(t, e.Estimate, 500*time.Millisecond)
		require.Equal(t, fairshare.Saturated, e.Reason)
		one := attemptOne(s, ctx)
		synctest.Wait()
		require.False(t, one.over(), "a single slot comes sooner")
		cancel()
		synctest.Wait()
	})
}

func attemptOne(s *fairshare.Semaphore, ctx context.Context) *attempt {
	a := &attempt{}
	go func() {
		a.permit, a.err = s.Acquire(ctx, "large")
		a.done.Store(true)
	}()
	return a
}

// Invariants 3 and 7, with requests of all sizes that give up at random.
func TestNothingIsLostWithRequestsOfAllSizes(t *testing.T) {
	for seed := range uint64(5) {
		s := several(t, fairshare.Config{Capacity: 6})
		var wg sync.WaitGroup
		var wrong atomic.Int64
		for g := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(g)))
				for range 300 {
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(200))*time.Microsecond)
					if r.IntN(3) == 0 {
						cancel()
						ctx, cancel = context.WithCancel(context.Background())
					}
					if p, err := s.AcquireN(ctx, fmt.Sprint(g%4), 1+r.IntN(6)); err == nil {
						if n := s.Stats().InUse; n > 6 || n < p.Slots() {
							wrong.Add(1)
						}
						p.Release()
					}
					cancel()
				}
			})
		}
		wg.Wait()
		require.Zero(t, wrong.Load(), "seed %d", seed)
		require.Zero(t, s.Stats().InUse, "seed %d", seed)
		require.Zero(t, s.Stats().Waiting, "seed %d", seed)
		acquireN(t, s, "all", 6).Release()
	}
}
