package fairshare_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func prescient(capacity int) fairshare.Config {
	return fairshare.Config{Capacity: capacity, RejectLate: true}
}

// within is an Acquire that has to be served within d.
func within(s *fairshare.Semaphore, tenant string, d time.Duration) *pending {
	ctx, cancel := context.WithTimeout(background, d)
	w := begin(ctx, s, tenant)
	go func() {
		<-w.done
		cancel()
	}()
	return w
}

// learn lets the semaphore see that slots are held for d.
func learn(s *fairshare.Semaphore, d time.Duration) {
	for range 2 {
		all := takeAll(s, "learn")
		time.Sleep(d)
		releaseAll(all)
	}
}

func TestNobodyIsRejectedWhileASlotIsFreeOrNothingIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := prescient(2)
		cfg.Tenants = map[string]fairshare.Share{"capped": {Max: 1}}
		s := newSemaphore(t, cfg)
		p, q := acquire(t, s, "a"), acquire(t, s, "a")
		w := within(s, "b", 1) // no hold is known
		require.ErrorIs(t, w.failed(t), context.DeadlineExceeded)
		p.Release()
		q.Release()

		learn(s, time.Second)
		require.Positive(t, s.Stats().Horizon)
		p = acquire(t, s, "capped")
		w = within(s, "capped", 1) // a slot is free, though not for this one
		require.ErrorIs(t, w.failed(t), context.DeadlineExceeded)
		q = within(s, "b", 1).granted(t)
		require.Zero(t, s.Stats().Rejected)
		w = within(s, "b", 1)
		require.ErrorIs(t, w.failed(t), fairshare.ErrLate)
		p.Release()
		q.Release()
	})
}

func TestAnAcquireThatWouldBeLateFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, prescient(2))
		learn(s, time.Second)
		mean := s.Stats().Horizon
		all := takeAll(s, "a")
		waiting := queue(s, "a", 7)
		w := within(s, "a", 2*mean)
		require.True(t, w.over())
		require.Zero(t, w.waited)
		e := w.failed(t)
		require.ErrorIs(t, e, fairshare.ErrLate)
		require.NotErrorIs(t, e, context.DeadlineExceeded)
		require.InDelta(t, 4*mean, e.Estimate, float64(time.Millisecond), "8 that wait, 2 slots")
		require.ErrorContains(t, e, "estimated at")
		require.Equal(t, fairshare.Saturated, e.Reason)
		require.Equal(t, 7, e.Waiting)
		require.EqualValues(t, 1, tenant(s, "a").Rejected)
		require.Zero(t, tenant(s, "a").Canceled)

		w = within(s, "a", 4*mean+time.Millisecond)
		require.False(t, w.over())
		patient := begin(background, s, "a") // has all the time in the world
		require.False(t, patient.over())
		releaseAll(all)
		releaseInTurn(t, append(waiting, w, patient))
	})
}

func TestTheAcquireTimeoutIsADeadlineToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := prescient(1)
		cfg.AcquireTimeout = 2 * time.Second
		s := newSemaphore(t, cfg)
		learn(s, time.Second)
		mean := s.Stats().Horizon
		p := acquire(t, s, "a")
		waiting := queue(s, "a", int(cfg.AcquireTimeout/mean))
		for _, d := range []time.Duration{0, time.Hour} {
			ctx, cancel := background, context.CancelFunc(func() {})
			if d > 0 {
				ctx, cancel = context.WithTimeout(ctx, d)
			}
			w := begin(ctx, s, "a")
			require.True(t, w.over())
			require.ErrorIs(t, w.err, fairshare.ErrLate)
			cancel()
		}
		p.Release()
		releaseInTurn(t, waiting)
	})
}

// A context may say that its time is up before it is done.
func TestWhereNothingIsKnownADeadlineThatHasPassedIsTheContextsAffair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, prescient(1))
		p := acquire(t, s, "a")
		ctx, cancel := context.WithCancel(background)
		w := begin(overdue{ctx}, s, "b")
		require.False(t, w.over())
		cancel()
		require.ErrorIs(t, w.failed(t), context.Canceled)
		p.Release()
	})
}

type overdue struct{ context.Context }

func (overdue) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

// Under a steady load, who has more than the time that it takes is served, and
// who has half of it is turned away. Of random holds that is so nearly always:
// the estimate follows the mean of the latest.
func TestInASteadyLoadTheLateAreRejectedAndTheOthersServed(t *testing.T) {
	const tries = 40
	for _, hold := range []struct {
		name string
		holdTime
		enough float64 // times the wait
		wrong  int     // most wrong answers
	}{{"constant", constant(100 * time.Millisecond), 1.2, 0}, {"exponential", exponential(100 * time.Millisecond), 2, tries / 10}} {
		for _, tenants := range []int{1, 4} {
			t.Run(fmt.Sprint(hold.name, " ", tenants), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := newLoad(t, prescient(4), 60*time.Second)
					l.clientsOf(tenants, "t", 40/tenants, hold.holdTime)
					time.Sleep(10 * time.Second)
					// 36 wait, and 40 are served in a second: 900 ms and some for one more.
					const wait = 950 * time.Millisecond
					admitted, refused := 0, 0
					ask := func(patience time.Duration) (late bool) {
						w := within(l.s, "t0", patience)
						<-w.done
						late = errors.Is(w.err, fairshare.ErrLate)
						if w.err == nil {
							w.permit.Release()
						}
						return late
					}
					for range tries {
						if !ask(wait / 2) {
							admitted++
						}
						if ask(time.Duration(hold.enough * float64(wait))) {
							refused++
						}
						time.Sleep(170 * time.Millisecond)
					}
					l.stop()
					t.Logf("of %d, %d without enough time were admitted, and %d with enough refused", tries, admitted, refused)
					require.LessOrEqual(t, admitted, hold.wrong)
					require.LessOrEqual(t, refused, hold.wrong)
				})
			})
		}
	}
}

// Rejecting keeps a load that is beyond the capacity to what can be served:
// next to nobody waits in vain, and the slots are not idle for it.
func TestUnderOverloadFewWaitInVain(t *testing.T) {
	for _, reject := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newSemaphore(t, fairshare.Config{Capacity: 4, RejectLate: reject})
			r := newRandom(t)
			hold := exponential(100 * time.Millisecond)
			served, vain, rejected := 0, 0, 0
			var all []*pending
			for range 3000 { // 80 a second, twice what can be served
				time.Sleep(time.Duration(r.ExpFloat64() * float64(time.Second) / 80))
				w, d := within(s, fmt.Sprint(r.IntN(3)), 500*time.Millisecond), hold(r)
				all = append(all, w)
				go func() {
					if <-w.done; w.err == nil {
						time.Sleep(d)
						w.permit.Release()
					}
				}()
			}
			for _, w := range all {
				switch <-w.done; {
				case w.err == nil:
					served++
				case w.waited == 0:
					rejected++
				default:
					vain++
				}
			}
			time.Sleep(time.Minute)
			t.Logf("RejectLate %v: %d served, %d waited in vain, %d rejected", reject, served, vain, rejected)
			require.Greater(t, served, 1200)
			if reject {
				require.Less(t, vain, 600)
				require.Greater(t, rejected, 800)
			} else {
				require.Greater(t, vain, 1000)
			}
		})
	}
}

// A curious context looks at the semaphore whenever it is asked something.
type curious struct {
	context.Context
	s *fairshare.Semaphore
}

func (c curious) Deadline() (time.Time, bool) { c.s.Stats(); return c.Context.Deadline() }
func (c curious) Err() error                  { c.s.Stats(); return c.Context.Err() }
func (c curious) Value(key any) any           { c.s.Stats(); return c.Context.Value(key) }

// Invariant 9: the methods of a context are code of the user too.
func TestNoContextIsAskedUnderTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, prescient(1))
		held := acquire(t, s, "a")
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		_, err := s.Acquire(curious{ctx, s}, "b")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		held.Release()
		ctx, cancel = context.WithTimeout(background, time.Second)
		defer cancel()
		held = acquire(t, s, "a")
		_, err = s.Acquire(curious{ctx, s}, "b")
		require.Error(t, err)
		held.Release()
	})
}
