package fairshare_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

const patience = 10 * time.Second

func patient(capacity int) fairshare.Config {
	return fairshare.Config{Capacity: capacity, AcquireTimeout: patience}
}

func TestAWaitEndsWithTheAcquireTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, patient(1))
		p := acquire(t, s, "a")
		w := begin(background, s, "b")
		e := w.failed(t)
		require.Equal(t, patience, w.waited)
		require.ErrorIs(t, e, fairshare.ErrAcquireTimeout)
		require.NotErrorIs(t, e, context.DeadlineExceeded)
		require.Equal(t, fairshare.Saturated, e.Reason)
		require.Equal(t, patience, e.Waited)
		require.Equal(t, []fairshare.Holding{{Tenant: "a", Held: 1}}, e.Holders)
		require.EqualValues(t, 1, s.Stats().Canceled)
		require.EqualValues(t, 1, tenant(s, "b").Canceled)
		p.Release()
		acquire(t, s, "b").Release()
	})
}

func TestTheDeadlineOfTheCallerHoldsIfItIsEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, patient(1))
		p := acquire(t, s, "a")
		for _, d := range []time.Duration{patience - 1, patience + 1} {
			ctx, cancel := context.WithTimeout(background, d)
			w := begin(ctx, s, "b")
			e := w.failed(t)
			cancel()
			require.Equal(t, min(d, patience), w.waited)
			require.Equal(t, d < patience, context.DeadlineExceeded == e.Err)
		}
		p.Release()
	})
}

func TestASlotInTimeEndsTheWaitForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, patient(1))
		p := acquire(t, s, "a")
		w := begin(background, s, "b")
		time.Sleep(patience - 1)
		p.Release()
		p = w.granted(t)
		// The waiter is used again for another wait, with a time of its own.
		w = begin(background, s, "c")
		time.Sleep(patience - 1)
		require.False(t, w.over())
		time.Sleep(time.Nanosecond)
		require.True(t, w.over())
		require.ErrorIs(t, w.err, fairshare.ErrAcquireTimeout)
		p.Release()
	})
}

// Each wait ends at its own time, whatever became of those before it.
func TestWaitsThatEndOtherwiseDoNotMoveTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, patient(1))
		r := newRandom(t)
		p := acquire(t, s, "holder")
		var all []*pending
		for i := range 300 {
			ctx, cancel := context.WithCancel(background)
			w := begin(ctx, s, fmt.Sprint(i%7))
			if r.IntN(2) == 0 {
				after := time.Duration(r.Int64N(int64(patience)))
				time.AfterFunc(after, cancel)
			} else {
				all = append(all, w)
				defer cancel()
			}
			time.Sleep(time.Duration(r.IntN(3)) * 50 * time.Millisecond)
		}
		for _, w := range all {
			require.ErrorIs(t, w.failed(t), fairshare.ErrAcquireTimeout)
			require.Equal(t, patience, w.waited)
		}
		time.Sleep(patience) // the last of them may be one that is cancelled
		synctest.Wait()
		require.Zero(t, s.Stats().Waiting)
		p.Release()
	})
}

func TestOneTimerEndsAHundredThousandWaitsInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		groups, each := 10, 10_000
		if raceDetector {
			each = 500
		}
		s := newSemaphore(t, patient(1))
		p := acquire(t, s, "holder")
		goroutines := runtime.NumGoroutine()
		var all sync.WaitGroup
		var inTime atomic.Int64
		for group := range groups {
			for i := range each {
				tenant := fmt.Sprint(i % 100)
				start := time.Now()
				all.Go(func() {
					_, err := s.Acquire(background, tenant)
					if errors.Is(err, fairshare.ErrAcquireTimeout) && time.Since(start) == patience {
						inTime.Add(1)
					}
				})
			}
			synctest.Wait()
			requireGoroutines(t, goroutines+(group+1)*each)
			time.Sleep(time.Second / 2)
		}
		time.Sleep(patience - 5*time.Second - 1)
		for group := range groups {
			synctest.Wait()
			require.Equal(t, (groups-group)*each, s.Stats().Waiting)
			time.Sleep(time.Second / 2)
		}
		all.Wait()
		require.EqualValues(t, groups*each, inTime.Load())
		p.Release()
	})
}

func TestAcquireTimeoutsStopWithClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, patient(1))
		p := acquire(t, s, "a")
		first, second := begin(background, s, "b"), begin(background, s, "c")
		time.Sleep(patience / 2)
		s.Close()
		for _, w := range []*pending{first, second} {
			require.ErrorIs(t, w.failed(t), fairshare.ErrClosed)
			require.Equal(t, patience/2, w.waited)
		}
		time.Sleep(2 * patience)
		require.EqualValues(t, 2, s.Stats().Canceled)
		p.Release()
	})
}

// The timeout and the close, or the slot, come at the same instant: each wait
// ends in exactly one way.
func TestATimeoutThatRacesASlotLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, patient(1))
		granted, late := 0, 0
		for range 200 {
			p := acquire(t, s, "a")
			w := begin(background, s, "b")
			go func() {
				time.Sleep(patience)
				p.Release()
			}()
			if <-w.done; w.err == nil {
				granted++
				w.permit.Release()
			} else {
				late++
				require.ErrorIs(t, w.err, fairshare.ErrAcquireTimeout)
			}
			synctest.Wait()
			require.Zero(t, s.Stats().InUse)
		}
		t.Logf("%d granted, %d late", granted, late)
	})
}

func TestAWaitOfOneThatIsSuspendedEndsWithTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stock{left: 1}
		line, err := fairshare.NewLine(patient(1), s)
		require.NoError(t, err)
		s.line = line
		s.locked(func(l *fairshare.Line) { l.PauseLocked(true) })
		_, err = line.Acquire(background, "a")
		var e *fairshare.AcquireError
		require.ErrorAs(t, err, &e)
		require.Equal(t, fairshare.Suspended, e.Reason)
		require.ErrorIs(t, e, fairshare.ErrAcquireTimeout)
	})
}
