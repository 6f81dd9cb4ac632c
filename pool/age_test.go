package pool_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// aging is the configuration of a pool whose resources age.
func aging(maxSize, minIdle int, age pool.Age) pool.Config[*thing] {
	cfg := keeping(maxSize, minIdle)
	cfg.Age = age
	return cfg
}

func TestAnIdleResourceIsRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(4, 0, pool.Age{MaxIdleTime: time.Minute}))
		a, b := acquire(t, p, "a"), acquire(t, p, "a")
		a.Release()
		time.Sleep(30 * time.Second)
		b.Release()
		time.Sleep(30*time.Second - time.Millisecond)
		require.Equal(t, 2, warmNow(p))
		time.Sleep(2 * time.Millisecond)
		require.Equal(t, 1, warmNow(p))
		time.Sleep(30*time.Second - 3*time.Millisecond)
		require.Equal(t, 1, warmNow(p))
		time.Sleep(2 * time.Millisecond)
		require.Zero(t, warmNow(p))
		require.Equal(t, map[pool.Retirement]uint64{pool.Idle: 2}, p.Stats().Retired)
		acquire(t, p, "a").Release()
	})
}

func TestAResourceInUseIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(4, 0, pool.Age{MaxIdleTime: time.Minute}))
		for range 20 {
			l := acquire(t, p, "a")
			time.Sleep(2 * time.Minute)
			l.Release()
			time.Sleep(50 * time.Second)
		}
		require.Equal(t, 1, f.buildCount())
	})
}

func TestMinIdleKeepsIdleResources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(6, 2, pool.Age{MaxIdleTime: time.Minute}))
		stock(t, p, 5)
		require.GreaterOrEqual(t, warmNow(p), 5)
		time.Sleep(2 * time.Minute)
		require.Equal(t, 2, warmNow(p))
		builds := f.buildCount()
		time.Sleep(24 * time.Hour)
		require.Equal(t, 2, warmNow(p))
		require.Equal(t, builds, f.buildCount())
	})
}

// A background check is no use.
func TestIdleTimeGoesOnThroughBackgroundChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := aging(4, 0, pool.Age{MaxIdleTime: time.Minute})
		cfg.Health.KeepAlive = 40 * time.Second
		cfg.Health.Check = func(context.Context, *thing) error { return nil }
		p := newPool(t, f, cfg)
		a, b := acquire(t, p, "a"), acquire(t, p, "a")
		a.Release()
		time.Sleep(5 * time.Second)
		b.Release()
		time.Sleep(55*time.Second + time.Millisecond)
		require.Equal(t, 1, warmNow(p))
		time.Sleep(5 * time.Second)
		require.Zero(t, warmNow(p))
	})
}

func TestAnOldResourceIsRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, aging(4, 0, pool.Age{MaxLifetime: time.Minute}))
		stock(t, p, 1)
		for range 5 {
			time.Sleep(10 * time.Second)
			stock(t, p, 1) // use does not make it younger
		}
		time.Sleep(10*time.Second - time.Millisecond)
		require.Equal(t, 1, warmNow(p))
		time.Sleep(2 * time.Millisecond)
		require.Zero(t, warmNow(p))
		require.Equal(t, map[pool.Retirement]uint64{pool.Lifetime: 1}, p.Stats().Retired)
	})
}

func TestAResourceInUseIsNeverEndedForItsAge(t *testing.T) {
	for name, age := range map[string]pool.Age{
		"lifetime":  {MaxLifetime: time.Minute},
		"idle time": {MaxIdleTime: time.Second},
		"uses":      {MaxUses: 1},
		"all":       {MaxLifetime: time.Minute, MaxIdleTime: time.Second, MaxUses: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, &factory{}, aging(2, 0, age))
				l := acquire(t, p, "a")
				th := l.Value()
				time.Sleep(24 * time.Hour)
				require.False(t, th.ended.Load())
				require.Same(t, th, l.Value())
				l.Release()
				time.Sleep(2 * time.Second)
				require.True(t, th.ended.Load())
			})
		})
	}
}

func TestAnOldResourceIsNotHandedToAWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, aging(1, 0, pool.Age{MaxLifetime: time.Minute}))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		time.Sleep(2 * time.Minute)
		l.Release()
		next := waiting.granted(t)
		require.Equal(t, 2, next.Value().id)
		next.Release()
	})
}

// One that is under way is for another.
func TestAnOldResourceIsNotHandedToAWaiterInPlaceOfABuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := aging(3, 1, pool.Age{MaxLifetime: time.Minute})
		cfg.Sharing.Capacity = 1
		p := newPool(t, f, cfg)
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		f.switchTo(takes(10 * time.Second))
		time.Sleep(2 * time.Minute)
		require.NoError(t, p.Resize(3))
		l.Release()
		synctest.Wait()
		require.Equal(t, 1, f.endCount())
		require.Greater(t, waiting.granted(t).Value().id, 1)
		waiting.lease.Release()
	})
}

func TestJitterSpreadsTheEndsOfThoseBuiltTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends []time.Duration
		start := time.Now()
		f := &factory{}
		f.end = func(*thing) {
			f.mu.Lock()
			defer f.mu.Unlock()
			ends = append(ends, time.Since(start))
		}
		p := newPool(t, f, aging(40, 0, pool.Age{MaxLifetime: time.Hour, MaxLifetimeJitter: time.Hour}))
		stock(t, p, 40)
		// It is drawn at birth: looking often does not make it end sooner.
		for range 59 {
			time.Sleep(time.Minute)
			stock(t, p, 1)
		}
		time.Sleep(time.Minute - time.Millisecond)
		require.Zero(t, f.endCount(), "never before MaxLifetime")
		time.Sleep(time.Hour + 2*time.Millisecond)
		require.Equal(t, 40, f.endCount())
		require.Len(t, ends, 40)
		early := 0
		for _, end := range ends {
			if end < 90*time.Minute {
				early++
			}
		}
		require.Greater(t, early, 4)
		require.Less(t, early, 36)
	})
}

func TestAResourceIsRetiredAfterMaxUses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(1, 0, pool.Age{MaxUses: 3}))
		for i := range 9 {
			l := acquire(t, p, "a")
			require.Equal(t, 1+i/3, l.Value().id)
			l.Release()
		}
		synctest.Wait()
		require.Equal(t, 3, f.endCount())
		require.Equal(t, map[pool.Retirement]uint64{pool.Uses: 3}, p.Stats().Retired)
	})
}

// Old and new exist side by side, and there is always one to be had.
func TestTheSuccessorIsBuiltBeforeTheOldOneIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(3, 2, pool.Age{MaxLifetime: time.Minute, MaxLifetimeJitter: 30 * time.Second}))
		synctest.Wait()
		f.switchTo(takes(5 * time.Second))
		for range 600 {
			time.Sleep(time.Second)
			require.GreaterOrEqual(t, warmNow(p), 1)
			l, ok := p.TryAcquire("a")
			require.True(t, ok)
			l.Release()
		}
		require.Greater(t, f.endCount(), 5)
	})
}

func TestWithRoomForAllSuccessorsNoneIsMissing(t *testing.T) {
	for name, most := range map[string]int{"side by side": 0, "one after the other": 1, "two at once": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				cfg := aging(8, 4, pool.Age{MaxLifetime: time.Minute})
				cfg.Sizes.MaxConcurrentBuilds = most
				p := newPool(t, f, cfg)
				synctest.Wait()
				f.switchTo(takes(time.Second))
				for range 200 {
					time.Sleep(time.Second)
					require.Equal(t, 4, warmNow(p))
				}
				require.Equal(t, 12, f.endCount(), "three times all of them")
				require.LessOrEqual(t, f.buildCount(), 20)
			})
		})
	}
}

func TestWithoutRoomTheOldOneIsClosedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(2, 2, pool.Age{MaxLifetime: time.Minute}))
		synctest.Wait()
		time.Sleep(time.Minute + time.Millisecond)
		require.Equal(t, 2, warmNow(p))
		require.Equal(t, 2, f.endCount())
		require.Equal(t, 2, f.most)
	})
}

func TestNoSuccessorIsBuiltThatNobodyAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(8, 1, pool.Age{MaxLifetime: time.Minute}))
		stock(t, p, 4)
		builds := f.buildCount()
		time.Sleep(61 * time.Second)
		require.Equal(t, 1, warmNow(p))
		require.Equal(t, builds+1, f.buildCount())
	})
}

// The resource is leased when its successor is ready.
func TestAnOldResourceLeasedMeanwhileIsRetiredOnReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(3, 1, pool.Age{MaxLifetime: time.Minute}))
		synctest.Wait()
		f.switchTo(takes(10 * time.Second))
		time.Sleep(time.Minute + time.Second)
		require.Equal(t, 1, p.Stats().Building)
		l := acquire(t, p, "a")
		require.Equal(t, 1, l.Value().id)
		time.Sleep(time.Minute / 2)
		require.Zero(t, f.endCount())
		l.Release()
		synctest.Wait()
		require.True(t, f.endCount() == 1)
		require.EqualValues(t, 1, p.Stats().Retired[pool.Lifetime])
		require.GreaterOrEqual(t, warmNow(p), 1)
	})
}

func TestAnOldResourceGoesAlsoWhenItsSuccessorFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(3, 1, pool.Age{MaxLifetime: time.Minute}))
		synctest.Wait()
		f.switchTo(failsUntil(time.Now().Add(2 * time.Minute)))
		time.Sleep(time.Minute + time.Second)
		require.Zero(t, warmNow(p))
		require.Equal(t, 1, f.endCount())
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1, warmNow(p))
	})
}

// The build of the successor is no excuse for one more use.
func TestMaxUsesHoldsWhileTheSuccessorIsBuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(3, 1, pool.Age{MaxLifetime: time.Minute, MaxUses: 2}))
		synctest.Wait()
		f.switchTo(takes(10 * time.Second))
		time.Sleep(time.Minute + time.Second)
		for range 2 {
			l := acquire(t, p, "a")
			require.Equal(t, 1, l.Value().id)
			l.Release()
		}
		require.Zero(t, warmNow(p))
		require.Equal(t, 1, f.endCount())
		l := acquire(t, p, "a")
		require.Equal(t, 2, l.Value().id)
		l.Release()
	})
}

// The old one destroys itself while its successor is built: nothing is retired
// twice.
func TestAnOldResourceMayBreakWhileItsSuccessorIsBuilt(t *testing.T) {
	for name, end := range map[string]func(*factory, pool.Lease[*thing]){
		"destroyed": func(_ *factory, l pool.Lease[*thing]) { l.Destroy() },
		"hijacked":  func(f *factory, l pool.Lease[*thing]) { f.hijack(l) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				p := newPool(t, f, aging(3, 1, pool.Age{MaxLifetime: time.Minute}))
				synctest.Wait()
				f.switchTo(takes(10 * time.Second))
				time.Sleep(time.Minute + time.Second)
				end(f, acquire(t, p, "a"))
				time.Sleep(20 * time.Second)
				require.GreaterOrEqual(t, warmNow(p), 1)
				require.Zero(t, p.Stats().Retired[pool.Lifetime])
			})
		})
	}
}

// Whatever the mix, nobody waits for a resource that has died of age and none
// is used for longer than it may.
func TestAgesHoldUnderAnyLoad(t *testing.T) {
	seed := newSeed(t)
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := &factory{build: takes(100 * time.Millisecond), end: func(*thing) { time.Sleep(50 * time.Millisecond) }}
		p := newPool(t, f, aging(5, 2, pool.Age{
			MaxLifetime: 10 * time.Second, MaxLifetimeJitter: 5 * time.Second, MaxIdleTime: 2 * time.Second, MaxUses: 7,
		}))
		born, uses := map[int]time.Time{}, map[int]int{}
		for range 2000 {
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
			l := acquire(t, p, "a")
			th := l.Value()
			if _, known := born[th.id]; !known {
				born[th.id] = time.Now()
			}
			uses[th.id]++
			require.LessOrEqual(t, uses[th.id], 7)
			require.LessOrEqual(t, time.Since(born[th.id]), 16*time.Second)
			time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
			l.Release()
		}
		time.Sleep(time.Minute)
		require.Equal(t, 2, warmNow(p))
	})
}
