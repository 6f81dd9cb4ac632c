package pool_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestADestroyedResourceIsReplacedForTheNextWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Second) }}
		p := newPool(t, f, sized(1))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		start := time.Now()
		l.Destroy()
		require.Zero(t, time.Since(start), "Destroy does not wait for the destructor")
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Destroying)
		require.Zero(t, p.Stats().Leased)
		require.Equal(t, 1, p.Stats().InUse, "its tenant is charged for it")

		next := waiting.granted(t)
		require.Equal(t, 2, next.Value().id)
		require.Equal(t, time.Second, waiting.waited, "its place is free when the destructor has returned")
		next.Release()
	})
}

// A destructor without an end keeps its place, and nothing else.
func TestAHangingDestructorCostsItsOwnSlotAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan struct{})
		f := &factory{end: func(th *thing) {
			if th.id == 1 {
				<-hung
			}
		}}
		p := newPool(t, f, sized(2))
		acquire(t, p, "a").Destroy()
		for range 10 {
			acquire(t, p, "b").Destroy()
			time.Sleep(time.Millisecond)
		}
		held := acquire(t, p, "b")
		waiting := begin(background, p, "c")
		time.Sleep(time.Hour)
		require.False(t, waiting.over(), "the place of the dying one is not free")
		close(hung)
		waiting.granted(t).Release()
		held.Release()
	})
}

func TestADestructorThatDoesNotReturnLosesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*thing)
		says []string
	}{
		"panic":  {func(*thing) { panic("jammed") }, []string{"Destructor panicked", "jammed"}},
		"Goexit": {func(*thing) { runtime.Goexit() }, []string{"Destructor", "runtime.Goexit"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{end: c.end}
				p := newPool(t, f, sized(1))
				l := acquire(t, p, "a")
				waiting := begin(background, p, "b")
				l.Destroy()
				waiting.granted(t).Release()
				stats := p.Stats()
				require.EqualValues(t, 1, stats.Destroyed)
				require.EqualValues(t, 1, stats.DestroyFailures)
				require.Zero(t, stats.Destroying)
				for _, part := range c.says {
					require.ErrorContains(t, stats.DestroyErr, part)
				}
			})
		})
	}
}

func TestAHijackedResourceLeavesItsSlotFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		th := f.hijack(l)
		next := waiting.granted(t)
		require.Zero(t, waiting.waited)
		require.NotSame(t, th, next.Value())
		next.Release()

		stats := p.Stats()
		require.EqualValues(t, 1, stats.Hijacked)
		require.EqualValues(t, 2, stats.Built)
		require.NoError(t, p.Shutdown(background))
		require.False(t, th.ended.Load(), "it is the caller's to end")
	})
}

func TestResetReplacesIdleResourcesAtOnceAndLeasedOnesOnReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(3))
		leased, idle := acquire(t, p, "a"), acquire(t, p, "b")
		old := leased.Value()
		idle.Release()

		p.Reset()
		synctest.Wait()
		require.Equal(t, 1, f.endCount())
		require.Same(t, old, leased.Value(), "a lease stays what it is")
		require.Zero(t, p.Stats().Warm)

		leased.Release()
		synctest.Wait()
		require.Equal(t, 2, f.endCount())
		l := acquire(t, p, "a")
		require.Equal(t, 3, l.Value().id)
		l.Release()
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Warm, "what was born after the Reset stays")
	})
}

func TestResetReplacesAResourceThatWasBeingBuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		p := newPool(t, f, sized(1))
		waiting := begin(background, p, "a")
		p.Reset()
		l := waiting.granted(t)
		require.Equal(t, 2, l.Value().id)
		require.Equal(t, 1, f.endCount())
		l.Release()
	})
}

// A build from before the Reset is of no use to anybody who waits.
func TestResetDoesNotLetWaitersWaitForADoomedBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		f.build = func(_ context.Context, n int) error {
			if n == 1 {
				time.Sleep(30 * time.Second) // to a server that is gone
			}
			return nil
		}
		p := newPool(t, f, sized(3))
		waiting := begin(background, p, "a")
		time.Sleep(time.Second)
		p.Reset()
		waiting.granted(t).Release()
		require.Equal(t, time.Second, waiting.waited)
	})
}

// Invariant 4.
func TestResetWakesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		p.Reset()
		l.Release()
		next := waiting.granted(t)
		require.Equal(t, 2, next.Value().id)
		next.Release()
	})
}

func TestAShrinkRetiresIdleResourcesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(4))
		a, b, c, d := acquire(t, p, "a"), acquire(t, p, "b"), acquire(t, p, "c"), acquire(t, p, "d")
		kept := d.Value()
		b.Release()
		c.Release()
		d.Release()

		require.NoError(t, p.Resize(2))
		synctest.Wait()
		require.Equal(t, 2, f.endCount(), "the least recently used go")
		stats := p.Stats()
		require.Equal(t, 2, stats.Capacity)
		require.Equal(t, 1, stats.Warm)
		l := acquire(t, p, "e")
		require.Same(t, kept, l.Value())
		l.Release()
		a.Release()
	})
}

// Invariant 1: slots granted never exceed the capacity in force at the grant.
func TestAShrinkBelowTheLeasesWaitsForTheirReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(4))
		var leases []pool.Lease[*thing]
		for range 4 {
			leases = append(leases, acquire(t, p, "a"))
		}
		require.NoError(t, p.Resize(2))
		require.Equal(t, 4, p.Stats().InUse, "nothing is taken away")
		waiting := begin(background, p, "b")
		leases[0].Release()
		leases[1].Destroy()
		require.False(t, waiting.over())
		require.Equal(t, 2, f.endCount())

		leases[2].Release()
		next := waiting.granted(t)
		require.Equal(t, 2, p.Stats().InUse)
		require.Equal(t, 4, f.buildCount())
		next.Release()
		leases[3].Release()
	})
}

func TestACapacityOfZeroHandsOutNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(2))
		acquire(t, p, "a").Release()
		require.NoError(t, p.Resize(0))
		synctest.Wait()
		require.Equal(t, 1, f.endCount())
		first, second := begin(background, p, "a"), begin(background, p, "b")
		_, ok := p.TryAcquire("c")
		require.False(t, ok)
		time.Sleep(time.Hour)
		require.False(t, first.over())
		require.Equal(t, 1, f.buildCount(), "nothing is built for nobody")

		require.NoError(t, p.Resize(1))
		l := first.granted(t)
		require.False(t, second.over())
		require.NoError(t, p.Resize(2))
		second.granted(t).Release()
		l.Release()
	})
}

// b may have a slot, and there is a good resource that nobody holds. That
// another one is being built, one too many since the Resize, changes neither.
func TestAReleasedResourceIsNotDestroyedInFavourOfABuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		f.build = func(_ context.Context, n int) error {
			if n == 2 {
				time.Sleep(30 * time.Second)
			}
			return nil
		}
		p := newPool(t, f, sized(2))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		require.NoError(t, p.Resize(1))
		time.Sleep(time.Second)
		l.Release()
		got := waiting.granted(t)
		require.Equal(t, time.Second, waiting.waited)
		require.Equal(t, 1, got.Value().id)

		time.Sleep(time.Minute)
		require.Equal(t, 1, f.endCount(), "the surplus one is retired when it is ready")
		got.Release()
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Warm)
	})
}
