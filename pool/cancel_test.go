package pool_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// Invariant 7: the resource arrives, and the context ends before the waiter has
// looked. It has the resource, or the next one does.
func TestAResourceGrantedTooLateGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		tooLate := 0
		for range 200 {
			l := acquire(t, p, "a")
			th := l.Value()
			ctx, cancel := context.WithCancel(background)
			racing, next := begin(ctx, p, "b"), begin(background, p, "c")
			time.Sleep(time.Millisecond)
			l.Release()
			cancel()
			if <-racing.done; racing.err == nil {
				racing.lease.Release()
			} else if racing.failed(t).Reason == fairshare.HandedOver {
				tooLate++
			}
			got := next.granted(t)
			require.Same(t, th, got.Value())
			require.Equal(t, time.Millisecond, next.waited)
			got.Release()
		}
		t.Logf("%d of 200 granted too late", tooLate)
		require.NotZero(t, tooLate, "the race never went this way")
		require.Equal(t, 1, f.buildCount())
	})
}

// The same for a resource that comes out of a build.
func TestAResourceBuiltTooLateStaysWarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		p := newPool(t, f, sized(1))
		ctx, cancel := context.WithTimeout(background, time.Second) // ends at the same instant
		defer cancel()
		w := begin(ctx, p, "a")
		if <-w.done; w.err == nil {
			w.lease.Release()
		}
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Warm)
		require.Zero(t, p.Stats().InUse)
	})
}

// Invariant 3.
func TestCancelledWaitersLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		l := acquire(t, p, "a")
		ctx, cancel := context.WithCancel(background)
		var waiting []*pending
		for i := range 50 {
			waiting = append(waiting, begin(ctx, p, fmt.Sprint(i%7)))
		}
		patient := begin(background, p, "b")
		cancel()
		for _, w := range waiting {
			require.ErrorIs(t, w.failed(t), context.Canceled)
		}
		stats := p.Stats()
		require.Equal(t, 1, stats.Waiting)
		require.EqualValues(t, 50, stats.Canceled)
		l.Release()
		patient.granted(t).Release()
	})
}
