package fairshare_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func TestWaitsAreCountedByTheirLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
		require.NoError(t, err)
		wait := func(d time.Duration) {
			permit, err := s.Acquire(context.Background(), "holder")
			require.NoError(t, err)
			got := make(chan fairshare.Permit)
			go func() {
				p, err := s.Acquire(context.Background(), "waiter")
				require.NoError(t, err)
				got <- p
			}()
			synctest.Wait()
			time.Sleep(d)
			permit.Release()
			(<-got).Release()
		}
		for _, d := range []time.Duration{
			0, time.Microsecond - 1, time.Microsecond, 3 * time.Microsecond, 4 * time.Microsecond,
			time.Second, 100 * time.Hour,
		} {
			before := s.Stats().Waits
			wait(d)
			waits := s.Stats().Waits.Since(before)
			counted := 0
			for i, n := range waits {
				if n == 0 {
					continue
				}
				counted += int(n)
				require.Less(t, d, fairshare.DurationBound(i))
				if i > 0 {
					require.GreaterOrEqual(t, d, fairshare.DurationBound(i-1))
				}
			}
			require.Equal(t, 1, counted)
		}
		// A slot that is free costs no wait. A wait in vain is one like the others.
		before := s.Stats()
		permit, ok := s.TryAcquire("a")
		require.True(t, ok)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err = s.Acquire(ctx, "b")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		permit.Release()
		waits := s.Stats().Waits.Since(before.Waits)
		require.EqualValues(t, 1, waits.Total())
		require.GreaterOrEqual(t, waits.Quantile(1), time.Second)
		require.Equal(t, before.WaitTime+time.Second, s.Stats().WaitTime)
	})
}

func TestHoldsAreCountedThatWereTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
		require.NoError(t, err)
		permit, ok := s.TryAcquire("first")
		require.True(t, ok)
		for range 3 {
			go func() {
				p, err := s.Acquire(context.Background(), "waiter")
				require.NoError(t, err)
				time.Sleep(time.Second)
				p.Release()
			}()
			synctest.Wait()
		}
		time.Sleep(time.Hour)
		permit.Release() // nobody waited when it began
		time.Sleep(time.Minute)
		stats := s.Stats()
		require.EqualValues(t, 2, stats.TimedHolds) // nobody waits when the last ends
		require.EqualValues(t, 2, stats.Holds.Total())
		require.Equal(t, 1024*1024*time.Microsecond, stats.Holds.Quantile(0))
		require.Equal(t, 1024*1024*time.Microsecond, stats.Holds.Quantile(1))
	})
}

func TestAQuantileIsTheBoundThatAPartOfThemKeepsTo(t *testing.T) {
	var w fairshare.Durations
	require.Zero(t, w.Quantile(0.5))
	w[0], w[10], w[31] = 50, 49, 1
	require.Equal(t, time.Microsecond, w.Quantile(0))
	require.Equal(t, time.Microsecond, w.Quantile(0.5))
	require.Equal(t, 1024*time.Microsecond, w.Quantile(0.51))
	require.Equal(t, 1024*time.Microsecond, w.Quantile(0.99))
	require.Equal(t, time.Duration(math.MaxInt64), w.Quantile(1))
}
