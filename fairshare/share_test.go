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

type shares = map[string]fairshare.Share

func TestOneTenantAloneMayHaveEverything(t *testing.T) {
	s := newSemaphore(t, slots(10))
	permits := takeAll(s, "a")
	require.Len(t, permits, 10)
	releaseAll(permits)
}

func TestWaitersOfATenantAreServedInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		p := acquire(t, s, "a")
		var waiting []*pending
		for range 5 {
			waiting = append(waiting, begin(background, s, "b"))
		}
		for i, w := range waiting {
			p.Release()
			p = w.granted(t)
			for _, later := range waiting[i+1:] {
				require.False(t, later.over())
			}
		}
		p.Release()
	})
}

// Among equals the one that has waited longest is next, whatever its name.
func TestTiesGoToTheLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		p := acquire(t, s, "holder")
		var waiting []*pending
		for _, name := range []string{"m", "z", "a", "k"} {
			waiting = append(waiting, begin(background, s, name))
			time.Sleep(time.Millisecond)
		}
		for i, w := range waiting {
			p.Release()
			require.True(t, w.over(), "number %d", i)
			p = w.granted(t)
		}
		p.Release()
	})
}

func TestMinIsServedBeforeAllOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 4, Tenants: shares{"vip": {Min: 2}}})
		hog := takeAll(s, "hog")
		again, light := begin(background, s, "hog"), begin(background, s, "light")
		time.Sleep(time.Minute)
		var vip []*pending
		for range 3 {
			vip = append(vip, begin(background, s, "vip"))
		}

		hog[0].Release()
		require.True(t, vip[0].over())
		hog[1].Release()
		require.True(t, vip[1].over())
		hog[2].Release()
		require.False(t, vip[2].over(), "it has its Min")
		require.True(t, light.over())
		require.False(t, again.over())
		hog[3].Release()
		for _, w := range append(vip, light, again) {
			w.granted(t).Release()
		}
	})
}

func TestTheEmptiestMinIsServedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 6, Tenants: shares{"a": {Min: 2}, "b": {Min: 4}}})
		hog := takeAll(s, "hog")
		a, b := begin(background, s, "a"), begin(background, s, "b")
		hog[0].Release()
		require.True(t, a.over(), "both have nothing; a was first")
		hog[1].Release()
		require.True(t, b.over())
		// Now a has 1 of 2, and b 1 of 4.
		a2, b2 := begin(background, s, "a"), begin(background, s, "b")
		hog[2].Release()
		require.True(t, b2.over())
		require.False(t, a2.over())
		hog[3].Release()
		for _, w := range []*pending{a, b, a2, b2} {
			w.granted(t).Release()
		}
		releaseAll(hog[4:])
	})
}

func TestMaxHoldsEvenWhileSlotsAreFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 10, Tenants: shares{"a": {Max: 3}}})
		permits := takeAll(s, "a")
		require.Len(t, permits, 3)
		waiting := begin(background, s, "a")
		require.False(t, waiting.over())
		other := takeAll(s, "b")
		require.Len(t, other, 7, "a waiter at its cap stands in nobody's way")
		releaseAll(other)
		require.False(t, waiting.over())
		permits[0].Release()
		waiting.granted(t).Release()
		releaseAll(permits[1:])
	})
}

func TestMaxWaitingBoundsTheQueueOfEachTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 2}})
		p := acquire(t, s, "a")
		ctx, cancel := context.WithCancel(background)
		first, second := begin(ctx, s, "b"), begin(background, s, "b")
		third := begin(background, s, "b")
		require.ErrorIs(t, third.failed(t), fairshare.ErrQueueFull)
		require.Zero(t, third.waited)
		other := begin(background, s, "c")
		require.False(t, other.over(), "another tenant's queue is another queue")
		require.EqualValues(t, 1, s.Stats().Rejected)
		require.EqualValues(t, 1, tenant(s, "b").Rejected)

		cancel()
		first.failed(t)
		again := begin(background, s, "b")
		require.False(t, again.over(), "a cancel makes room in the queue")
		p.Release()
		for _, w := range []*pending{second, other, again} {
			w.granted(t).Release()
		}
	})
}

func TestHeadroomIsForTenantsThatHoldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 4, Headroom: 1})
		hog := takeAll(s, "hog")
		require.Len(t, hog, 3)
		waiting := begin(background, s, "hog")
		require.False(t, waiting.over())

		newcomer := begin(background, s, "newcomer")
		require.True(t, newcomer.over(), "at once")
		require.Zero(t, newcomer.waited)
		_, ok := s.TryAcquire("newcomer")
		require.False(t, ok)
		newcomer.granted(t).Release()
		require.False(t, waiting.over(), "the last slot is free, and not for the hog")

		hog[0].Release()
		waiting.granted(t).Release()
		releaseAll(hog[1:])
	})
}

// Invariant 4: a tenant that returns the only slot it held has a claim to the
// headroom from then on, besides whoever gets that slot.
func TestHeadroomIsHandedOutToWhoeverHasJustReturnedItsLastSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 4, Headroom: 1, Tenants: shares{"vip": {Min: 3}}})
		vip := []fairshare.Permit{acquire(t, s, "vip"), acquire(t, s, "vip")}
		p := acquire(t, s, "a")
		first, second := begin(background, s, "vip"), begin(background, s, "a")
		require.False(t, first.over())
		require.False(t, second.over())

		p.Release()
		require.True(t, first.over(), "below its Min")
		require.True(t, second.over(), "holds nothing, and a slot is free")
		first.granted(t).Release()
		second.granted(t).Release()
		releaseAll(vip)
	})
}

func TestWeightsDivideTheSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{
			Capacity: 10, Horizon: fairshare.Instant, Tenants: shares{"a": {Weight: 1}, "b": {Weight: 4}},
		})
		hog := takeAll(s, "hog")
		var waiting []*pending
		for range 10 {
			waiting = append(waiting, begin(background, s, "a"), begin(background, s, "b"))
		}
		releaseAll(hog)
		synctest.Wait()
		require.Equal(t, 2, tenant(s, "a").Held)
		require.Equal(t, 8, tenant(s, "b").Held)
		releaseInTurn(t, waiting)
	})
}

// With Instant there is no memory: of two that hold nothing the one that has
// waited longest is next, though it had all the slot-time so far.
func TestInstantForgetsWhatWasHadBefore(t *testing.T) {
	for name, c := range map[string]struct {
		horizon time.Duration
		first   string
	}{
		"instant": {fairshare.Instant, "greedy"},
		"fixed":   {time.Millisecond, "modest"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSemaphore(t, fairshare.Config{Capacity: 1, Horizon: c.horizon})
				p := acquire(t, s, "greedy")
				ctx, cancel := context.WithTimeout(background, 10*time.Second)
				defer cancel()
				begin(ctx, s, "modest").failed(t) // while it waits, greedy is charged
				p.Release()

				p = acquire(t, s, "third")
				greedy := begin(background, s, "greedy")
				time.Sleep(time.Millisecond)
				modest := begin(background, s, "modest")
				p.Release()
				require.Equal(t, c.first == "greedy", greedy.over())
				require.Equal(t, c.first == "modest", modest.over())
				releaseInTurn(t, []*pending{greedy, modest})
			})
		})
	}
}

func TestResizeServesWaitersAndRevokesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(2))
		permits := takeAll(s, "a")
		var waiting []*pending
		for i := range 6 {
			waiting = append(waiting, begin(background, s, fmt.Sprint("b", i)))
		}
		require.NoError(t, s.Resize(4))
		require.True(t, waiting[0].over())
		require.True(t, waiting[1].over())
		require.False(t, waiting[2].over())
		require.Equal(t, 4, s.Stats().InUse)

		require.NoError(t, s.Resize(1))
		require.Equal(t, 4, s.Stats().InUse)
		releaseAll(permits)
		waiting[0].granted(t).Release()
		require.False(t, waiting[2].over(), "one slot in use, one in all")
		waiting[1].granted(t).Release()
		require.True(t, waiting[2].over())
		require.False(t, waiting[3].over())

		require.NoError(t, s.Resize(0))
		waiting[2].granted(t).Release()
		require.False(t, waiting[3].over())
		_, ok := s.TryAcquire("c")
		require.False(t, ok)
		time.Sleep(time.Hour)
		require.Zero(t, s.Stats().InUse)

		require.NoError(t, s.Resize(10))
		for _, w := range waiting[3:] {
			w.granted(t).Release()
		}
	})
}

func TestSetShareTakesEffectOnThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 10, Default: fairshare.Share{Max: 1}})
		p := acquire(t, s, "a")
		var waiting []*pending
		for range 4 {
			waiting = append(waiting, begin(background, s, "a"))
		}
		require.NoError(t, s.SetShare("a", fairshare.Share{Max: 3}))
		require.True(t, waiting[1].over())
		require.False(t, waiting[2].over())
		require.NoError(t, s.SetShare("a", fairshare.Share{Max: 1}))
		require.Equal(t, 3, tenant(s, "a").Held, "nothing is taken away")
		p.Release()
		waiting[0].granted(t).Release()
		require.False(t, waiting[2].over())
		require.NoError(t, s.SetShare("a", fairshare.Share{}))
		require.True(t, waiting[3].over())
		for _, w := range waiting[1:] {
			w.granted(t).Release()
		}
	})
}

// Whom the next slot goes to is decided when it comes free, by the weights of
// then.
func TestSetShareChangesWhoIsNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 4, Horizon: fairshare.Instant})
		a, b := acquire(t, s, "a"), acquire(t, s, "b")
		hog := takeAll(s, "hog")
		ofA, ofB := begin(background, s, "a"), begin(background, s, "b")
		require.NoError(t, s.SetShare("b", fairshare.Share{Weight: 3}))
		hog[0].Release()
		require.True(t, ofB.over(), "b holds 1/3 of a slot per weight, a has 1")
		require.False(t, ofA.over())
		hog[1].Release()
		for _, p := range []fairshare.Permit{a, b, ofA.granted(t), ofB.granted(t)} {
			p.Release()
		}
	})
}

// Invariant 4, over a random history.
func TestNoSlotIsFreeWhileSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRandom(t)
		s := newSemaphore(t, slots(3))
		type request struct {
			*pending
			cancel context.CancelFunc
		}
		var all []request
		capacity := 3
		for range 3000 {
			switch r.IntN(10) {
			case 0:
				capacity = r.IntN(6)
				require.NoError(t, s.Resize(capacity))
			case 1, 2, 3, 4:
				ctx, cancel := context.WithCancel(background)
				all = append(all, request{begin(ctx, s, fmt.Sprint(r.IntN(5))), cancel})
			default: // end one: release it, or cancel it
				if len(all) == 0 {
					continue
				}
				i := r.IntN(len(all))
				w := all[i]
				all[i] = all[len(all)-1]
				all = all[:len(all)-1]
				if w.over() {
					w.granted(t).Release()
				}
				w.cancel()
			}
			time.Sleep(time.Duration(r.IntN(1000)))
			synctest.Wait()
			stats := s.Stats()
			require.True(t, stats.Waiting == 0 || stats.InUse >= capacity,
				"%d of %d in use, %d waiting", stats.InUse, capacity, stats.Waiting)
		}
		for _, w := range all {
			w.cancel()
			<-w.done
			w.permit.Release()
		}
	})
}
