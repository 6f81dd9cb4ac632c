package fairshare_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func newLine(t *testing.T, cfg fairshare.Config, left int) *stock {
	s := &stock{left: left}
	line, err := fairshare.NewLine(cfg, s)
	require.NoError(t, err)
	s.line = line
	line.Time()
	return s
}

// A retrial is a Retry under way.
type retrial struct {
	done  chan struct{}
	grant fairshare.Grant
	err   error
}

// retry gives up a grant, whose slot is dropped, and tries again.
func (s *stock) retry(ctx context.Context, tenant string, g fairshare.Grant, since time.Duration) *retrial {
	r := &retrial{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.grant, r.err = s.line.Retry(ctx, tenant, since, func() { s.dropLocked(g) })
	}()
	synctest.Wait()
	return r
}

func (s *stock) dropLocked(g fairshare.Grant) {
	if slot := g.Finish(); slot != nil {
		s.line.ReleaseLocked(slot)
		s.line.DropLocked(slot)
	}
}

func (r *retrial) over() bool {
	synctest.Wait()
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func TestARetryIsServedAtOnceIfThereIsAnotherSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLine(t, slots(1), 2)
		g := s.acquire(t, "a")
		waiting := s.begin(background, "a")
		r := s.retry(background, "a", g, s.line.Now())
		require.True(t, r.over())
		require.NoError(t, r.err)
		require.Equal(t, 2, r.grant.Slot().Owner)
		r.grant.Release()
		(<-waiting).Release()
	})
}

func TestARetryWaitsAheadOfItsOwnTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLine(t, slots(1), 1)
		since := s.line.Now()
		g := s.acquire(t, "a")
		time.Sleep(time.Second)
		later := s.begin(background, "a")
		r := s.retry(background, "a", g, since)
		require.False(t, r.over())
		s.locked(func(l *fairshare.Line) {
			require.Equal(t, 2, l.StatsLocked().Waiting)
			require.Equal(t, time.Second, l.StatsLocked().OldestWait)
			l.PutLocked(&fairshare.Slot{})
		})
		require.True(t, r.over())
		require.NoError(t, r.err)
		r.grant.Release()
		(<-later).Release()
	})
}

func TestARetryFindsRoomInAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := slots(1)
		cfg.MaxWaiting, cfg.Default.MaxWaiting, cfg.RejectLate = 1, 1, true
		s := newLine(t, cfg, 1)
		g := s.acquire(t, "a")
		later := s.begin(background, "a")
		r := s.retry(background, "a", g, s.line.Now())
		require.False(t, r.over())
		s.locked(func(l *fairshare.Line) { l.PutLocked(&fairshare.Slot{}) })
		require.True(t, r.over())
		r.grant.Release()
		(<-later).Release()
	})
}

// The slot that it gives up, and does not get another for, goes to who can use
// it.
func TestARetryPassesOnWhatItGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLine(t, fairshare.Config{Capacity: 2, Default: fairshare.Share{Max: 1}}, 2)
		g := s.acquire(t, "a")
		same := s.begin(background, "a") // at its cap
		done := make(chan fairshare.Grant, 1)
		go func() {
			other, err := s.line.Retry(background, "a", s.line.Now(), func() {
				// What it held goes, and its place to the other, which
				// could not be served while the line was locked.
				slot := g.Finish()
				s.line.ReleaseLocked(slot)
				s.line.PutLocked(slot)
			})
			if err != nil {
				t.Error(err)
			}
			done <- other
		}()
		g = <-same
		synctest.Wait()
		require.Empty(t, done)
		g.Release()
		(<-done).Release()
	})
}

func TestTheRetryOfOneWhoseSlotIsGoneLetsOthersHaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := slots(2)
		cfg.Tenants = map[string]fairshare.Share{"a": {Max: 1}}
		s := newLine(t, cfg, 1)
		g := s.acquire(t, "a")
		b := s.begin(background, "b")
		short := s.short
		// Its place is free, and it may have it, but no slot is ready: it waits,
		// and the supply is told of it.
		r := s.retry(background, "a", g, s.line.Now())
		require.Greater(t, s.short, short)
		require.False(t, r.over())
		s.left = 2
		s.locked(func(l *fairshare.Line) { l.DispatchLocked() })
		(<-b).Release()
		<-r.done
		require.NoError(t, r.err)
		r.grant.Release()
	})
}

// The time that it has waited before counts.
func TestTheAcquireTimeoutOfARetryBeganWithTheFirstWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLine(t, patient(1), 1)
		since := s.line.Now()
		g := s.acquire(t, "a")
		time.Sleep(patience / 2)
		begun := time.Now()
		var later time.Duration
		ended := make(chan struct{})
		go func() {
			_, err := s.line.Acquire(background, "b")
			if !isTimeout(err) {
				t.Error(err)
			}
			later = time.Since(begun)
			close(ended)
		}()
		time.Sleep(patience / 4)
		r := s.retry(background, "a", g, since)
		<-r.done
		require.Equal(t, patience/2, time.Since(begun))
		require.ErrorIs(t, r.err, fairshare.ErrAcquireTimeout)
		var e *fairshare.AcquireError
		require.ErrorAs(t, r.err, &e)
		require.Equal(t, patience, e.Waited)
		<-ended
		require.Equal(t, patience, later, "which the other one did not change")

		// One whose time is up already ends at once.
		s.left = 1
		g = s.acquire(t, "a")
		begun = time.Now()
		r = s.retry(background, "a", g, since)
		<-r.done
		require.Zero(t, time.Since(begun))
		require.ErrorIs(t, r.err, fairshare.ErrAcquireTimeout)
	})
}

func isTimeout(err error) bool {
	e, ok := err.(*fairshare.AcquireError)
	return ok && e.Err == fairshare.ErrAcquireTimeout
}

func TestARetryEndsWithItsContextAndWithTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLine(t, slots(1), 1)
		ctx, cancel := context.WithCancel(background)
		r := s.retry(ctx, "a", s.acquire(t, "a"), s.line.Now())
		time.Sleep(time.Second)
		cancel()
		<-r.done
		require.ErrorIs(t, r.err, context.Canceled)

		r = s.retry(background, "a", fairshare.Grant{}, s.line.Now())
		s.locked(func(l *fairshare.Line) { l.CloseLocked() })
		<-r.done
		require.ErrorIs(t, r.err, fairshare.ErrClosed)
		r = s.retry(background, "a", fairshare.Grant{}, s.line.Now())
		require.True(t, r.over())
		require.ErrorIs(t, r.err, fairshare.ErrClosed)
	})
}

// Where slots are dedicated, one that waits for a slot to be made keeps the
// others from theirs only while it waits.
func TestOneThatGivesUpWaitingForADedicatedSlotLetsTheNextHaveItsOwn(t *testing.T) {
	for _, timeout := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			cfg := slots(2)
			if timeout {
				cfg.AcquireTimeout = patience
			}
			s := newLine(t, cfg, 2)
			s.line.Dedicate(func() int { return 0 })
			own := s.acquire(t, "b")
			other := s.acquire(t, "c")
			ctx, cancel := context.WithCancel(background)
			defer cancel()
			first := s.begin(ctx, "a")
			time.Sleep(time.Second)
			second := s.begin(background, "b")
			slot := own.Slot()
			own.Release()
			synctest.Wait()
			require.Empty(t, second, "a comes first")
			if timeout {
				time.Sleep(patience - time.Second)
			} else {
				cancel()
			}
			require.Nil(t, (<-first).Slot())
			synctest.Wait()
			require.Len(t, second, 1)
			found := <-second
			require.Same(t, slot, found.Slot())
			found.Release()
			other.Release()
		})
	}
}
