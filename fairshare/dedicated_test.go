package fairshare_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// A workshop supplies a line with dedicated slots, as many as the test says are
// made.
type workshop struct {
	line   *fairshare.Line
	coming int
	short  []fairshare.Request
}

func (w *workshop) New() *fairshare.Slot               { return nil }
func (w *workshop) Short(r fairshare.Request)          { w.short = append(w.short, r) }
func (w *workshop) Lacking() (fairshare.Reason, error) { return fairshare.Building, nil }

func newWorkshop(t *testing.T, cfg fairshare.Config) *workshop {
	w := &workshop{}
	line, err := fairshare.NewLine(cfg, w)
	require.NoError(t, err)
	line.Dedicate(func() int { return w.coming })
	w.line = line
	return w
}

func (w *workshop) put(s *fairshare.Slot) {
	w.line.Lock()
	defer w.line.Unlock()
	w.line.PutLocked(s)
}

func (w *workshop) try(tenant string) *fairshare.Slot {
	w.line.Lock()
	defer w.line.Unlock()
	g, ok := w.line.TryAcquireLocked(tenant)
	if !ok {
		return nil
	}
	return g.Slot()
}

func (w *workshop) spare() *fairshare.Slot {
	w.line.Lock()
	defer w.line.Unlock()
	return w.line.SpareLocked()
}

// use has the tenant hold the slot once, so that it is the tenant's.
func (w *workshop) use(t *testing.T, tenant string) *fairshare.Slot {
	t.Helper()
	g, err := w.line.Acquire(context.Background(), tenant)
	require.NoError(t, err)
	s := g.Slot()
	g.Release()
	return s
}

// wait starts an Acquire, which delivers its grant.
func (w *workshop) wait(tenant string) <-chan fairshare.Grant {
	granted := make(chan fairshare.Grant, 1)
	go func() {
		if g, err := w.line.Acquire(context.Background(), tenant); err == nil {
			granted <- g
		}
	}()
	synctest.Wait()
	return granted
}

func TestADedicatedSlotIsOutOfTheQuestionForOthers(t *testing.T) {
	w := newWorkshop(t, fairshare.Config{Capacity: 4})
	w.put(&fairshare.Slot{})
	s := w.use(t, "a")
	require.Nil(t, w.try("b"), "a stranger")
	other := &fairshare.Slot{}
	w.put(other)
	require.Same(t, s, w.use(t, "a"))
	require.Same(t, other, w.use(t, "b"))
	require.Nil(t, w.try("c"))
	third := &fairshare.Slot{}
	w.put(third)
	require.Same(t, s, w.use(t, "a"), "its own before an unused one")
	require.Same(t, other, w.use(t, "b"))
	require.Same(t, third, w.use(t, "c"), "an unused one that is not on top")
}

func TestAReadyDedicatedSlotWaitsForItsOwnTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkshop(t, fairshare.Config{Capacity: 2})
		w.put(&fairshare.Slot{})
		own := w.use(t, "a")
		b := w.wait("b")
		require.Len(t, w.short, 1, "the supply is told")
		require.Empty(t, b)
		require.Same(t, own, w.use(t, "a"))
		require.Empty(t, b)
		w.put(&fairshare.Slot{})
		synctest.Wait()
		(<-b).Release()
		w.line.Lock()
		require.Equal(t, 2, w.line.ReadyLocked())
		w.line.Unlock()
	})
}

// Others use their own slots while one is being made for each tenant before
// them; otherwise the slot is left to be made room of.
func TestATenantIsServedOutOfTurnIfSlotsComeForAllBeforeIt(t *testing.T) {
	for before := range 4 {
		for coming := range 4 {
			t.Run(fmt.Sprintf("%d before, %d coming", before, coming), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorkshop(t, fairshare.Config{Capacity: 10})
					w.put(&fairshare.Slot{})
					g, err := w.line.Acquire(context.Background(), "a")
					require.NoError(t, err)
					var rivals []<-chan fairshare.Grant
					for i := range before {
						rivals = append(rivals, w.wait(fmt.Sprint("rival-", i)))
						rivals = append(rivals, w.wait(fmt.Sprint("rival-", i))) // tenants count, not waiters
					}
					a := w.wait("a")
					w.coming = coming
					g.Release()
					synctest.Wait()
					require.Len(t, a, map[bool]int{true: 1, false: 0}[before <= coming])
					for _, r := range rivals {
						require.Empty(t, r)
					}
					w.line.Lock()
					w.line.CloseLocked()
					w.line.Unlock()
				})
			})
		}
	}
}

func TestATenantAtItsCapIsNotServedOutOfTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkshop(t, fairshare.Config{Capacity: 10, Tenants: map[string]fairshare.Share{"a": {Max: 1}}})
		w.coming = 5
		one, two := &fairshare.Slot{}, &fairshare.Slot{}
		w.put(one)
		g := <-w.wait("a")
		require.NoError(t, w.line.SetShare("a", fairshare.Share{Max: 2}))
		w.put(two)
		second := <-w.wait("a")
		require.NoError(t, w.line.SetShare("a", fairshare.Share{Max: 1}))
		b, a := w.wait("b"), w.wait("a")
		second.Release()
		synctest.Wait()
		require.Empty(t, a, "it holds one still")
		g.Release()
		synctest.Wait()
		require.Len(t, a, 1)
		require.Empty(t, b)
		w.line.Lock()
		w.line.CloseLocked()
		w.line.Unlock()
	})
}

func TestTheSlotToSpareIsTheOldestOfATenantThatDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkshop(t, fairshare.Config{Capacity: 10})
		require.Nil(t, w.spare())
		slots := make(map[string]*fairshare.Slot)
		for _, tenant := range []string{"a", "b", "c"} {
			w.put(&fairshare.Slot{})
			slots[tenant] = w.use(t, tenant)
		}
		require.Same(t, slots["a"], w.spare())

		w.line.Lock()
		w.line.PauseLocked(true)
		w.line.Unlock()
		w.wait("a")
		require.Same(t, slots["b"], w.spare())
		w.wait("b")
		require.Same(t, slots["c"], w.spare(), "the one used last")
		w.wait("c")
		require.Same(t, slots["a"], w.spare(), "all wait")
		w.line.Lock()
		w.line.CloseLocked()
		w.line.Unlock()
	})
}

func TestASlotThatNobodyHadIsSparedToo(t *testing.T) {
	w := newWorkshop(t, fairshare.Config{Capacity: 10})
	one, two := &fairshare.Slot{}, &fairshare.Slot{}
	w.put(one)
	require.Same(t, one, w.spare())
	w.put(two)
	require.Same(t, one, w.spare())
}

// Slots come and go in every order; each tenant finds its own, and only its
// own, checked against a map.
func TestReadySlotsAreFoundByTheirTenantsInAnyOrder(t *testing.T) {
	r := newRandom(t)
	w := newWorkshop(t, fairshare.Config{Capacity: 1000})
	owner := make(map[*fairshare.Slot]string)
	ready := make(map[*fairshare.Slot]bool)
	held := make(map[*fairshare.Slot]fairshare.Grant)
	count := func(tenant string) (n int) {
		for s := range ready {
			if owner[s] == tenant {
				n++
			}
		}
		return n
	}
	any := func(of map[*fairshare.Slot]bool) *fairshare.Slot {
		for s := range of {
			return s
		}
		return nil
	}
	for range 5000 {
		tenant := fmt.Sprint("t", r.IntN(5))
		w.line.Lock()
		switch r.IntN(8) {
		case 0:
			s := &fairshare.Slot{}
			w.line.PutLocked(s)
			owner[s], ready[s] = "", true
		case 1:
			if s := any(ready); s != nil {
				w.line.DropLocked(s)
				delete(ready, s)
			}
		case 2:
			if s := any(ready); s != nil {
				w.line.WithdrawLocked(s)
				w.line.PutBackLocked(s)
			}
		case 3, 4, 5:
			for s, g := range held {
				g.Finish()
				w.line.ReleaseLocked(s)
				w.line.PutLocked(s)
				delete(held, s)
				ready[s] = true
				break
			}
		default:
			g, ok := w.line.TryAcquireLocked(tenant)
			own, unused := count(tenant), count("")
			require.Equal(t, own+unused > 0, ok)
			if !ok {
				break
			}
			s := g.Slot()
			require.True(t, ready[s])
			if own > 0 {
				require.Equal(t, tenant, owner[s])
			} else {
				require.Empty(t, owner[s])
			}
			owner[s], held[s] = tenant, g
			delete(ready, s)
		}
		require.Equal(t, len(ready), w.line.ReadyLocked())
		oldest := w.line.OldestReadyLocked()
		require.Equal(t, len(ready) > 0, oldest != nil)
		require.Equal(t, oldest != nil, w.line.SpareLocked() != nil)
		w.line.Unlock()
	}
}
