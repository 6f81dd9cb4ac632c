package fairshare_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// What a Line offers to those who attach something to its slots.

// locked runs fn under the lock of the line.
func (s *stock) locked(fn func(l *fairshare.Line)) {
	s.line.Lock()
	defer s.line.Unlock()
	fn(s.line)
}

func (s *stock) acquire(t *testing.T, tenant string) fairshare.Grant {
	t.Helper()
	g, err := s.line.Acquire(background, tenant)
	require.NoError(t, err)
	return g
}

// endLocked ends the grant of a slot, whoever has it, and passes the slot on.
func endLocked(t *testing.T, l *fairshare.Line, slot *fairshare.Slot) {
	g, held := slot.GrantLocked()
	require.True(t, held)
	require.Same(t, slot, g.Finish())
	l.ReleaseLocked(slot)
	l.PutLocked(slot)
}

// Invariants 7 and 8: a grant may be asked back and ended before the goroutine
// that it was made to has looked.
func TestAGrantThatEndsBeforeItsWaiterLooksIsAFinishedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 1, 1)
		slot := s.acquire(t, "a").Slot()
		b, c := s.begin(background, "b"), s.begin(background, "c")
		s.locked(func(l *fairshare.Line) {
			endLocked(t, l, slot) // to b
			endLocked(t, l, slot) // to c
		})
		late, current := <-b, <-c
		require.Nil(t, late.Slot())
		require.Equal(t, "c", current.Tenant())
		late.Release()
		require.Equal(t, "c", current.Tenant())
		current.Release()
		s.locked(func(l *fairshare.Line) { require.Zero(t, l.StatsLocked().InUse) })
	})
}

func TestACancelDoesNotEndTheGrantOfTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 { // whether the grant or the cancel is seen first is a matter of luck
			s := newStock(t, 1, 1)
			slot := s.acquire(t, "a").Slot()
			ctx, cancel := context.WithCancel(background)
			b, c := s.begin(ctx, "b"), s.begin(background, "c")
			s.locked(func(l *fairshare.Line) {
				endLocked(t, l, slot) // to b
				cancel()
				endLocked(t, l, slot) // to c
			})
			require.Nil(t, (<-b).Slot())
			current := <-c
			synctest.Wait()
			require.Equal(t, "c", current.Tenant())
			current.Release()
			s.locked(func(l *fairshare.Line) {
				require.Zero(t, l.StatsLocked().InUse)
				require.Equal(t, 1, l.ReadyLocked())
			})
		}
	})
}

// A log is a Watcher that writes down what it is told.
type log struct {
	stock  *stock
	events []string
}

func (w *log) Taken(s *fairshare.Slot) {
	_, held := s.GrantLocked()
	w.events = append(w.events, fmt.Sprintf("taken from %q, %v", s.TenantLocked(), held))
}

func (w *log) Returned(s *fairshare.Slot) {
	_, held := s.GrantLocked()
	w.events = append(w.events, fmt.Sprintf("returned by %q, %v", s.TenantLocked(), held))
	w.stock.line.ReleaseLocked(s)
	w.stock.line.PutLocked(s)
}

func TestAWatcherIsToldOfEachGrantAndReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 1, 1)
		w := &log{stock: s}
		s.locked(func(l *fairshare.Line) { l.WatchLocked(w) })
		g := s.acquire(t, "a")
		waiting := s.begin(background, "b")
		g.Release()
		(<-waiting).Release()
		require.Equal(t, []string{
			`taken from "", false`, `returned by "a", false`,
			`taken from "a", false`, `returned by "b", false`,
		}, w.events)

		s.locked(func(l *fairshare.Line) { l.WatchLocked(nil) })
		s.acquire(t, "c").Release()
		require.Len(t, w.events, 4)
	})
}

// A slot that arrives too late for its waiter goes back by way of the watcher.
func TestASlotThatArrivesTooLateIsReturnedToTheWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 1, 1)
		w := &log{stock: s}
		s.locked(func(l *fairshare.Line) { l.WatchLocked(w) })
		slot := s.acquire(t, "a").Slot()
		ctx, cancel := context.WithCancel(background)
		b := s.begin(ctx, "b")
		s.locked(func(l *fairshare.Line) {
			endLocked(t, l, slot)
			cancel()
		})
		require.Nil(t, (<-b).Slot())
		require.Equal(t, `returned by "b", false`, w.events[len(w.events)-1])
		s.locked(func(l *fairshare.Line) { require.Zero(t, l.StatsLocked().InUse) })
	})
}

func TestOnlyASlotThatIsHeldHasAGrant(t *testing.T) {
	s := newStock(t, 2, 2)
	g := s.acquire(t, "a")
	slot := g.Slot()
	has := func(want bool) {
		t.Helper()
		s.locked(func(l *fairshare.Line) {
			found, held := slot.GrantLocked()
			require.Equal(t, want, held)
			if held {
				require.Equal(t, g, found)
			}
		})
	}
	has(true)
	g.Release()
	has(false)
	g = s.acquire(t, "b")
	has(true)
	require.Same(t, slot, g.Finish()) // what comes next the line does not know
	has(false)
	s.locked(func(l *fairshare.Line) {
		l.ReleaseLocked(slot)
		l.PutLocked(slot)
		l.WithdrawLocked(slot)
	})
	has(false)
	s.locked(func(l *fairshare.Line) { l.PutBackLocked(slot) })
	has(false)
	g = s.acquire(t, "c")
	has(true)
	g.Release()

	s.locked(func(l *fairshare.Line) {
		fresh := &fairshare.Slot{}
		l.PutLocked(fresh)
		l.WithdrawLocked(fresh)
		_, held := fresh.GrantLocked()
		require.False(t, held, "never granted")
		l.DropLocked(fresh)
	})
}

func TestASlotThatIsWithdrawnIsNotHandedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 2, 2)
		older, newer := s.acquire(t, "a"), s.acquire(t, "b")
		slot, other := older.Slot(), newer.Slot()
		older.Release()
		newer.Release()
		s.locked(func(l *fairshare.Line) {
			l.WithdrawLocked(slot)
			require.Equal(t, 1, l.ReadyLocked())
		})
		g := s.acquire(t, "a") // would prefer its own
		require.Same(t, other, g.Slot())
		waiting := s.begin(background, "b")
		s.locked(func(l *fairshare.Line) { l.PutBackLocked(slot) })
		found := <-waiting
		require.Same(t, slot, found.Slot(), "a slot put back goes to who waits")
		g.Release()
		found.Release()

		// Nobody waits: it keeps its place as the one idle for longest.
		s.locked(func(l *fairshare.Line) {
			require.Same(t, other, l.OldestReadyLocked())
			l.WithdrawLocked(other)
			l.PutBackLocked(other)
			require.Same(t, other, l.OldestReadyLocked())
			require.Equal(t, 2, l.ReadyLocked())
		})
	})
}

func TestWhatIsChargedCountsAsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 1, 1)
		slot := s.acquire(t, "a").Slot()
		s.locked(func(l *fairshare.Line) { endLocked(t, l, slot) })
		s.locked(func(l *fairshare.Line) {
			l.WithdrawLocked(slot)
			l.ChargeLocked(slot)
		})
		waiting := s.begin(background, "b")
		time.Sleep(time.Second)
		s.locked(func(l *fairshare.Line) { require.Equal(t, 1, l.StatsLocked().InUse) })
		for name, stats := range s.line.Tenants() {
			if name == "a" {
				require.Equal(t, time.Second, stats.Service)
				require.Equal(t, 1, stats.Held)
			}
		}
		s.locked(func(l *fairshare.Line) {
			l.ReleaseLocked(slot)
			l.PutLocked(slot)
		})
		(<-waiting).Release()
	})
}

func TestWhileALineIsPausedEverybodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 2, 2)
		held := s.acquire(t, "a")
		s.locked(func(l *fairshare.Line) { l.PauseLocked(true) })
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		_, err := s.line.Acquire(ctx, "b")
		var e *fairshare.AcquireError
		require.ErrorAs(t, err, &e)
		require.Equal(t, fairshare.Suspended, e.Reason)

		first, second := s.begin(background, "b"), s.begin(background, "b")
		held.Release()
		s.locked(func(l *fairshare.Line) {
			_, ok := l.TryAcquireLocked("c")
			require.False(t, ok)
			require.Zero(t, l.DemandLocked())
			require.Zero(t, l.StatsLocked().InUse)
			require.Equal(t, 2, l.StatsLocked().Waiting)
			l.PauseLocked(false)
		})
		(<-first).Release()
		(<-second).Release()
	})
}

// The line looks at the clock while somebody waits, and always once it was told
// that time matters.
func TestAHoldIsTimedIfTheClockWasReadAtBothEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for timed, want := range map[bool]int{false: 1, true: 4} {
			s := newStock(t, 1, 1)
			if timed {
				s.line.Time()
			}
			hold := func(g fairshare.Grant) {
				time.Sleep(time.Second)
				g.Release()
			}
			hold(s.acquire(t, "a"))
			g := s.acquire(t, "a")
			b, c := s.begin(background, "b"), s.begin(background, "c")
			hold(g) // began when nobody waited
			hold(<-b)
			hold(<-c) // ended when nobody did
			s.locked(func(l *fairshare.Line) {
				stats := l.StatsLocked()
				require.EqualValues(t, want, stats.TimedHolds)
				require.Equal(t, time.Duration(want)*time.Second, stats.HoldTime)
				require.Equal(t, 3*time.Second, stats.WaitTime)
			})
		}
	})
}
