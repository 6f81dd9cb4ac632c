package fairshare_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func TestASuspendedSemaphoreHandsOutNothingUntilItIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(2))
		held := acquire(t, s, "a")
		s.Suspend()
		s.Suspend()
		_, ok := s.TryAcquire("b")
		require.False(t, ok)
		first, second := begin(background, s, "b"), begin(background, s, "c")
		held.Release()
		synctest.Wait()
		require.Zero(t, s.Stats().InUse)
		require.Equal(t, 2, s.Stats().Waiting)
		require.True(t, s.Stats().Suspended)

		s.Resume()
		require.False(t, s.Stats().Suspended)
		first.granted(t).Release()
		second.granted(t).Release()
	})
}

func TestAWaitThatEndsDuringASuspensionSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		s.Suspend()
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		_, err := s.Acquire(ctx, "a")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var e *fairshare.AcquireError
		require.ErrorAs(t, err, &e)
		require.Equal(t, fairshare.Suspended, e.Reason)
		s.Resume()
		acquire(t, s, "a").Release()
	})
}
