package fairshare_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func TestASecondReleaseDoesNothing(t *testing.T) {
	s := newSemaphore(t, slots(2))
	p, other := acquire(t, s, "a"), acquire(t, s, "b")
	twin := p
	p.Release()
	p.Release()
	twin.Release()
	require.Equal(t, 1, s.Stats().InUse)
	other.Release()
}

// Invariant 8.
func TestAStalePermitCannotReachALaterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		stale := acquire(t, s, "a")
		for range 10 { // the record is used again each time
			waiting := begin(background, s, "b")
			stale.Release()
			later := waiting.granted(t)
			stale.Release()
			require.Equal(t, 1, s.Stats().InUse)
			_, ok := s.TryAcquire("c")
			require.False(t, ok)
			stale = later
		}
		stale.Release()
	})
}

func TestTheZeroPermitIsNone(t *testing.T) {
	var p fairshare.Permit
	p.Release()
}

func TestOfManyReleasesAtOnceOneCounts(t *testing.T) {
	s := newSemaphore(t, slots(4))
	held := acquire(t, s, "held")
	for range 300 {
		p := acquire(t, s, "a")
		var all sync.WaitGroup
		for range 4 {
			all.Go(p.Release)
		}
		all.Wait()
		require.Equal(t, 1, s.Stats().InUse)
	}
	held.Release()
}

func TestTryAcquireDoesNotOvertakeAWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		p := acquire(t, s, "a")
		waiting := begin(background, s, "a")
		p.Release() // to the waiter, though it has not run yet
		_, ok := s.TryAcquire("b")
		require.False(t, ok)
		waiting.granted(t).Release()
	})
}
