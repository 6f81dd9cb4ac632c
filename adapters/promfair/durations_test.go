package promfair_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/promfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// Nothing is asked of the semaphore but to be a semaphore.
func TestWaitsAreCountedWithoutATrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
		require.NoError(t, err)
		permit, err := s.Acquire(background, "a")
		require.NoError(t, err)
		go func() {
			p, err := s.Acquire(background, "b")
			require.NoError(t, err)
			p.Release()
		}()
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		permit.Release()
		synctest.Wait()

		families, err := registry(t, collector(t, s, promfair.Options{Pool: "permits"})).Gather()
		require.NoError(t, err)
		for _, f := range families {
			if f.GetName() != "fairpool_queue_wait_seconds" {
				continue
			}
			h := f.Metric[0].Histogram
			require.EqualValues(t, 1, h.GetSampleCount())
			require.InDelta(t, 0.1, h.GetSampleSum(), 1e-9)
			for _, b := range h.Bucket {
				require.Equal(t, b.GetUpperBound() > 0.1, b.GetCumulativeCount() == 1, "up to %v s", b.GetUpperBound())
			}
			return
		}
		t.Fatal("no such histogram")
	})
}
