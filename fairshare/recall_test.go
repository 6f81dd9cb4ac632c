package fairshare_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// A recaller asks grants of a line back when they are overdue. Whoever is asked
// gives back after a while.
type recaller struct {
	*stock
	t     *testing.T
	asked map[fairshare.Grant]bool
	held  map[string][]fairshare.Grant // by tenant, the oldest first
}

const quantum = time.Second

func newRecaller(t *testing.T, cfg fairshare.Config) *recaller {
	s := &stock{left: cfg.Capacity}
	line, err := fairshare.NewLine(cfg, s)
	require.NoError(t, err)
	s.line = line
	line.Time()
	return &recaller{s, t, make(map[fairshare.Grant]bool), make(map[string][]fairshare.Grant)}
}

// take takes n slots for the tenant, a millisecond apart.
func (r *recaller) take(tenant string, n int) {
	r.t.Helper()
	for range n {
		r.held[tenant] = append(r.held[tenant], r.acquire(r.t, tenant))
		time.Sleep(time.Millisecond)
	}
}

// wait has n more Acquires of the tenant wait.
func (r *recaller) wait(tenant string, n int) (all []<-chan fairshare.Grant) {
	for range n {
		all = append(all, r.begin(background, tenant))
	}
	return all
}

// look returns who is asked now, and when to look again, from now.
func (r *recaller) look() (from []string, back []fairshare.Grant, next time.Duration) {
	r.locked(func(l *fairshare.Line) {
		back, next = l.OverdueLocked(quantum, func(s *fairshare.Slot) bool {
			g, held := s.GrantLocked()
			return held && r.asked[g]
		})
		if next > 0 {
			next -= l.NowLocked()
		}
		for _, g := range back {
			r.asked[g] = true
			from = append(from, g.Slot().TenantLocked())
		}
	})
	return from, back, next
}

func (r *recaller) finish(waiting []<-chan fairshare.Grant) {
	for _, all := range r.held {
		for _, g := range all {
			g.Release()
		}
	}
	for len(waiting) > 0 {
		synctest.Wait()
		var rest []<-chan fairshare.Grant
		for _, w := range waiting {
			select {
			case g := <-w:
				g.Release()
			default:
				rest = append(rest, w)
			}
		}
		require.Less(r.t, len(rest), len(waiting), "never granted")
		waiting = rest
	}
}

func TestNothingIsAskedBackWhileNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(2))
		r.take("a", 2)
		time.Sleep(time.Hour)
		from, _, next := r.look()
		require.Empty(t, from)
		require.Zero(t, next)
		r.finish(nil)
	})
}

func TestTheYoungestOfTheOneFurthestAboveItsShareIsAskedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(9))
		r.take("a", 5)
		r.take("b", 4)
		time.Sleep(quantum)
		waiting := r.wait("c", 2)
		from, _, next := r.look()
		require.Empty(t, from, "has not waited for long")
		require.Equal(t, quantum, next)

		time.Sleep(quantum - 1)
		from, _, next = r.look()
		require.Empty(t, from)
		require.EqualValues(t, 1, next)
		time.Sleep(time.Nanosecond)
		from, back, next := r.look()
		require.Equal(t, []string{"a", "a"}, from, "a of 5, then of 4 as many as b: it was charged more")
		require.Equal(t, quantum, next)
		require.Equal(t, r.held["a"][4], back[0])
		require.Equal(t, r.held["a"][3], back[1])

		from, _, _ = r.look()
		require.Empty(t, from, "what is coming is enough")
		r.finish(waiting)
	})
}

func TestEverybodyIsLeftToWorkForTheQuantum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(2))
		r.take("a", 1)
		time.Sleep(quantum / 2)
		r.take("a", 1)
		waiting := r.wait("b", 1)
		time.Sleep(quantum / 4)
		from, _, _ := r.look()
		require.Empty(t, from)
		time.Sleep(3 * quantum / 4)
		_, back, _ := r.look()
		require.Equal(t, r.held["a"][1:], back, "now both were held long enough, and this is the younger")
		r.finish(waiting)
	})
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(2))
		r.take("a", 1)
		waiting := r.wait("b", 0)
		time.Sleep(quantum)
		g := r.held["a"][0]
		r.take("a", 1)
		waiting = append(waiting, r.wait("b", 1)...)
		time.Sleep(quantum - 2*time.Millisecond)
		r.held["a"][1].Release() // to b
		second := <-waiting[0]
		third := r.wait("c", 1)
		time.Sleep(quantum / 2)
		from, _, _ := r.look()
		require.Empty(t, from, "c has not waited for long")
		time.Sleep(quantum)
		from, back, _ := r.look()
		require.Equal(t, []string{"a"}, from, "of equals the one that was charged more")
		require.Equal(t, g, back[0])
		second.Release()
		r.finish(third)
	})
}

// 4/3/3 of 10: the one with 4 has more than its 10/3, but handing one over
// would only make it 3/4/3.
func TestNothingIsAskedBackThatWouldOnlyReverseTheRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(10))
		r.take("a", 4)
		r.take("b", 3)
		r.take("c", 3)
		waiting := append(r.wait("b", 3), append(r.wait("c", 3), r.wait("a", 3)...)...)
		for range 5 {
			time.Sleep(2 * quantum)
			from, _, _ := r.look()
			require.Empty(t, from)
		}
		r.finish(waiting)
	})
}

func TestTheShareThatIsOwedFollowsTheWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := slots(8)
		cfg.Tenants = map[string]fairshare.Share{"heavy": {Weight: 3}}
		r := newRecaller(t, cfg)
		r.take("light", 4)
		r.take("heavy", 4)
		waiting := append(r.wait("light", 4), r.wait("heavy", 9)...)
		time.Sleep(2 * quantum)
		from, _, _ := r.look()
		require.Equal(t, []string{"light", "light"}, from, "2 and 6")
		for name, stats := range r.line.Tenants() {
			require.Equal(t, map[string]float64{"light": 2, "heavy": 6}[name], stats.Entitled)
		}
		r.finish(waiting)
	})
}

// With more tenants than slots the share of each is less than a slot: they take
// turns, a quantum each.
func TestOneThatHoldsNothingIsHelpedAmongMoreTenantsThanSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(2))
		r.take("a", 1)
		r.take("b", 1)
		c, d := r.wait("c", 1), r.wait("d", 1)
		time.Sleep(quantum)
		from, back, _ := r.look()
		require.ElementsMatch(t, []string{"a", "b"}, from)
		for _, g := range back {
			g.Release()
		}
		first, second := <-c[0], <-d[0]
		// Those that had to go wait in their turn, and get it when the others have
		// had a quantum more than they.
		waiting := r.wait("a", 1)
		time.Sleep(2*quantum - time.Millisecond)
		from, _, next := r.look()
		require.Empty(t, from)
		require.LessOrEqual(t, next, time.Millisecond)
		time.Sleep(time.Millisecond)
		from, _, _ = r.look()
		require.Len(t, from, 1)
		first.Release()
		second.Release()
		(<-waiting[0]).Release()
	})
}

// Each time that the only slot of a tenant is asked back it is left alone for
// longer, until it has finished something that takes as long.
func TestWhoIsCutOffIsLeftAloneForLongerUntilItFinishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(1))
		worker, rival := r.acquire(t, "worker"), (<-chan fairshare.Grant)(nil)
		// cutOff has the worker hold the slot, the rival wait, and reports after
		// how long the slot is asked back.
		cutOff := func(atMost time.Duration) (time.Duration, bool) {
			rival = r.wait("rival", 1)[0]
			start := time.Now()
			for {
				from, _, next := r.look()
				if len(from) > 0 {
					return time.Since(start), true
				}
				if time.Since(start)+next > atMost {
					time.Sleep(atMost - time.Since(start))
					return 0, false
				}
				time.Sleep(next)
			}
		}
		// swap ends the grant of the worker; the rival has as much as the worker
		// had, so that both are even, and the worker is granted the slot again.
		swap := func(took time.Duration) {
			worker.Release()
			g := <-rival
			again := r.wait("worker", 1)[0]
			time.Sleep(took)
			g.Release()
			worker = <-again
		}
		last := time.Duration(0)
		for cuts := range 5 {
			took, cut := cutOff(time.Hour)
			require.True(t, cut)
			require.GreaterOrEqual(t, took, quantum<<cuts)
			require.LessOrEqual(t, took, quantum<<cuts+2*quantum)
			last = took
			swap(took)
		}
		_, cut := cutOff(last) // as long as the last one
		require.False(t, cut)
		swap(last)
		took, cut := cutOff(time.Hour)
		require.True(t, cut)
		require.LessOrEqual(t, took, last+2*quantum, "the protection has shrunk")
		worker.Release()
		(<-rival).Release()
	})
}

// A short grant that ends well says nothing of the long one that was cut off.
func TestAShortGrantDoesNotEndTheProtectionOfALongOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(1))
		g := r.acquire(t, "mixed")
		rival := r.wait("rival", 1)[0]
		time.Sleep(quantum)
		from, _, _ := r.look()
		require.Equal(t, []string{"mixed"}, from)
		g.Release()
		(<-rival).Release()
		r.acquire(t, "mixed").Release()
		g = r.acquire(t, "mixed")
		rival = r.wait("rival", 1)[0]
		time.Sleep(2 * quantum)
		from, _, _ = r.look()
		require.Empty(t, from)
		g.Release()
		(<-rival).Release()
	})
}

func TestWhatIsComingIsForThoseThatMissMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(6))
		r.take("a", 6)
		time.Sleep(quantum)
		waiting := r.wait("b", 1)
		time.Sleep(quantum)
		from, _, _ := r.look()
		require.Equal(t, []string{"a"}, from)
		waiting = append(waiting, r.wait("c", 3)...)
		time.Sleep(quantum)
		from, _, _ = r.look()
		require.Equal(t, []string{"a", "a"}, from, "b is owed 1, c and a 2.5 each; 1 is coming")
		r.finish(waiting)
	})
}

// A pool may have something to do with it first.
func TestWhatHasComeBackButIsNotOfUseYetIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(6))
		r.take("a", 3)
		r.take("b", 3)
		waiting := r.wait("c", 1)
		time.Sleep(quantum)
		from, back, _ := r.look()
		require.Equal(t, []string{"a"}, from)
		slot := back[0].Finish()
		for range 3 {
			from, _, _ = r.look()
			require.Empty(t, from)
			time.Sleep(quantum)
		}
		r.locked(func(l *fairshare.Line) {
			l.ReleaseLocked(slot)
			l.PutLocked(slot)
		})
		r.finish(waiting)
	})
}

// 3.4, 2.3 and 2.3 of 8: the scheduler lets them have the odd slot by turns.
func TestNothingIsAskedBackForAFractionOfASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := slots(8)
		cfg.Tenants = map[string]fairshare.Share{"a": {Weight: 1.5}}
		r := newRecaller(t, cfg)
		r.take("a", 3)
		r.take("b", 3)
		r.take("c", 2)
		waiting := append(r.wait("a", 3), append(r.wait("b", 3), r.wait("c", 3)...)...)
		time.Sleep(2 * quantum)
		from, _, _ := r.look()
		require.Empty(t, from)
		r.finish(waiting)
	})
}

func TestNothingIsAskedBackWhileTheLineIsPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecaller(t, slots(1))
		r.take("a", 1)
		waiting := r.wait("b", 1)
		time.Sleep(2 * quantum)
		r.locked(func(l *fairshare.Line) { l.PauseLocked(true) })
		from, _, next := r.look()
		require.Empty(t, from)
		require.Zero(t, next)
		r.locked(func(l *fairshare.Line) { l.PauseLocked(false) })
		from, _, _ = r.look()
		require.Equal(t, []string{"a"}, from)
		r.finish(waiting)
	})
}

// Whatever is held, and however long it would be: if those that are asked obey
// and looks are taken when due, everybody has its share, rounded down, within
// three quanta, and then there is peace.
func TestRecallsEndWithEverybodyAtItsShare(t *testing.T) {
	rng := newRandom(t)
	for range 40 {
		capacity, tenants := 1+rng.IntN(12), 1+rng.IntN(6)
		synctest.Test(t, func(t *testing.T) {
			r := newRecaller(t, slots(capacity))
			var waiting []<-chan fairshare.Grant
			for range capacity {
				r.take(fmt.Sprint(rng.IntN(tenants)), 1)
			}
			for i := range tenants {
				waiting = append(waiting, r.wait(fmt.Sprint(i), capacity+1)...)
			}
			start := time.Now()
			for time.Since(start) <= 3*quantum {
				_, back, next := r.look()
				for _, g := range back {
					g.Release()
				}
				require.Positive(t, next)
				time.Sleep(min(next, quantum))
			}
			for name, stats := range r.line.Tenants() {
				if tenants <= capacity {
					require.GreaterOrEqual(t, stats.Held, capacity/tenants, "%s of %d on %d", name, tenants, capacity)
					require.LessOrEqual(t, stats.Held, (capacity+tenants-1)/tenants, "%s of %d on %d", name, tenants, capacity)
				}
			}
			for range 5 {
				time.Sleep(quantum)
				from, _, _ := r.look()
				if tenants <= capacity {
					require.Empty(t, from)
				}
			}
			r.locked(func(l *fairshare.Line) { l.CloseLocked() })
			for _, w := range waiting {
				(<-w).Release()
			}
		})
	}
}
