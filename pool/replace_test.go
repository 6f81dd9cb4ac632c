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

// stocked returns a pool with n warm things; only those built from now on take
// a second, and each takes half a second to end.
func stocked(t *testing.T, cfg pool.Config[*thing], n int) (*factory, *pool.Pool[*thing]) {
	t.Helper()
	f := &factory{end: func(*thing) { time.Sleep(time.Second / 2) }}
	p := newPool(t, f, cfg)
	if cfg.Sizes.MinIdle == 0 {
		stock(t, p, n)
	}
	require.Equal(t, n, warmNow(p))
	f.switchTo(takes(time.Second))
	return f, p
}

// rolled waits for the end of a gradual reset and returns the fewest resources
// that were warm meanwhile.
func rolled(t *testing.T, p *pool.Pool[*thing]) (fewest int) {
	t.Helper()
	fewest = warmNow(p)
	for end := time.Now().Add(10 * time.Minute); p.Stats().Stale > 0; {
		require.True(t, time.Now().Before(end), "it does not end")
		time.Sleep(50 * time.Millisecond)
		fewest = min(fewest, warmNow(p))
	}
	return fewest
}

func TestAGradualResetOfAFullPoolMissesOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := stocked(t, sized(3), 3)
		p.ResetGradually()
		require.Equal(t, 2, rolled(t, p))
		time.Sleep(time.Minute)
		require.Equal(t, 3, warmNow(p), "each has a successor although nobody asks for it")
		require.Equal(t, 3, f.endCount())
	})
}

func TestAGradualResetWithOneBuildAtATimeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(5)
		cfg.Sizes.MaxConcurrentBuilds = 1
		_, p := stocked(t, cfg, 3)
		leases := []pool.Lease[*thing]{acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "a")}
		waiting := begin(background, p, "b")
		leases[0].Release()
		leases[1].Release()
		p.ResetGradually()
		require.Equal(t, 1, p.Stats().Building, "the one for the waiter that was served meanwhile")
		leases[2].Release()
		waiting.granted(t).Release()
		require.Equal(t, 3, rolled(t, p))
	})
}

func TestAGradualResetOfLeasedResourcesTakesThemOnReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := stocked(t, sized(3), 3)
		leases := []pool.Lease[*thing]{acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "a")}
		p.ResetGradually()
		time.Sleep(time.Hour)
		require.Zero(t, f.endCount())
		require.Equal(t, 3, p.Stats().Stale)
		for _, l := range leases {
			require.False(t, l.Value().ended.Load())
			l.Release()
		}
		require.Equal(t, 2, warmNow(p), "the first is replaced, the others serve on")
		require.Equal(t, 2, rolled(t, p))
		require.Equal(t, 3, f.endCount())
		stock(t, p, 3)
		require.Equal(t, 6, f.buildCount())
	})
}

// No resource is ever idle, so that each has to be caught on its way.
func TestAGradualResetUnderLoadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := stocked(t, sized(3), 3)
		stop := make(chan struct{})
		for range 6 {
			go func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					l, err := p.Acquire(background, "a")
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(100 * time.Millisecond)
					l.Release()
				}
			}()
		}
		time.Sleep(time.Second)
		p.ResetGradually()
		rolled(t, p)
		close(stop)
		time.Sleep(time.Second)
	})
}

func TestAFailingConstructorKeepsTheOldOnesInService(t *testing.T) {
	for name, c := range map[string]struct{ size, left int }{
		"with room":    {4, 3},
		"without room": {3, 2}, // found out only after the first has gone
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, p := stocked(t, sized(c.size), 3)
				f.switchTo(failsUntil(time.Now().Add(10 * time.Minute)))
				p.ResetGradually()
				for range 590 {
					time.Sleep(time.Second)
					require.Equal(t, c.left, warmNow(p))
					l := acquire(t, p, "a")
					require.LessOrEqual(t, l.Value().id, 3)
					l.Release()
				}
				time.Sleep(time.Minute)
				require.Zero(t, p.Stats().Stale, "it goes on when builds succeed again")
				require.Equal(t, 3, f.endCount())
				require.GreaterOrEqual(t, warmNow(p), c.left)
			})
		})
	}
}

func TestResetOvertakesAGradualReset(t *testing.T) {
	for name, size := range map[string]int{"with room": 4, "without room": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, p := stocked(t, keeping(size, 3), 3)
				p.ResetGradually()
				time.Sleep(1250 * time.Millisecond)
				p.Reset()
				require.Zero(t, p.Stats().Stale)
				require.Zero(t, warmNow(p))
				time.Sleep(time.Minute)
				require.Equal(t, 3, warmNow(p))
				for range 3 {
					l := acquire(t, p, "a")
					require.Greater(t, l.Value().id, 4)
					l.Release()
				}
				time.Sleep(time.Minute)
				ends, alive := f.endCount(), warmNow(p)
				p.ResetGradually()
				rolled(t, p)
				require.Equal(t, ends+alive, f.endCount(), "the next one is none the worse for it")
			})
		})
	}
}

func TestAGradualResetDuringAnotherStartsAgain(t *testing.T) {
	for _, size := range []int{2, 3, 5} {
		for _, after := range []time.Duration{0, 250 * time.Millisecond, 1250 * time.Millisecond, 1750 * time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				f, p := stocked(t, sized(size), 2)
				p.ResetGradually()
				time.Sleep(after)
				built := f.buildCount()
				p.ResetGradually()
				rolled(t, p)
				time.Sleep(time.Minute)
				require.Equal(t, 2, warmNow(p), "size %d, after %v", size, after)
				a, b := acquire(t, p, "a"), acquire(t, p, "a")
				require.Greater(t, a.Value().id, built)
				require.Greater(t, b.Value().id, built)
				a.Release()
				b.Release()
			})
		}
	}
}

// What is being built when a gradual reset begins is good enough until its turn
// comes.
func TestAGradualResetDoesNotWasteTheBuildsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		p := newPool(t, f, sized(3))
		waiting := []*pending{begin(background, p, "a"), begin(background, p, "b"), begin(background, p, "c")}
		p.ResetGradually()
		time.Sleep(1100 * time.Millisecond)
		served := 0
		for _, w := range waiting {
			if w.over() {
				served++
			}
		}
		require.Equal(t, 2, served, "one had to make room")
		for _, w := range waiting {
			w.granted(t).Release()
		}
		rolled(t, p)
		require.Equal(t, 3, f.endCount())
	})
}

func TestAGradualResetSurvivesAResize(t *testing.T) {
	for _, to := range []int{0, 1, 2, 4} {
		for _, after := range []time.Duration{0, 250 * time.Millisecond, 1250 * time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				f, p := stocked(t, sized(4), 4)
				leased := acquire(t, p, "a")
				p.ResetGradually()
				time.Sleep(after)
				require.NoError(t, p.Resize(to))
				time.Sleep(time.Minute)
				require.NoError(t, p.Resize(4))
				stock(t, p, 3)
				p.ResetGradually()
				leased.Release()
				rolled(t, p)
				time.Sleep(time.Minute)
				builds := f.buildCount()
				stock(t, p, 4)
				require.LessOrEqual(t, f.buildCount(), builds+4)
				l := acquire(t, p, "a")
				require.Greater(t, l.Value().id, 4, "to %d after %v", to, after)
				l.Release()
			})
		}
	}
}

func TestAGradualResetGoesOnBesideAHangingDestructor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan struct{})
		f := &factory{end: func(th *thing) {
			if th.id == 1 {
				<-hung
			}
		}}
		p := newPool(t, f, sized(4))
		stock(t, p, 3)
		p.ResetGradually()
		require.GreaterOrEqual(t, rolled(t, p), 2)
		require.Equal(t, 1, p.Stats().Destroying)
		close(hung)
	})
}

func TestAGradualResetOfAnEmptyPoolIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(2))
		p.ResetGradually()
		require.Zero(t, p.Stats().Stale)
		require.Zero(t, f.buildCount())
		stock(t, p, 2)
		time.Sleep(time.Minute)
		require.Equal(t, 2, f.buildCount(), "what came later is of the new generation")
	})
}

func TestCloseEndsAGradualReset(t *testing.T) {
	for _, after := range []time.Duration{0, 250 * time.Millisecond, 1250 * time.Millisecond} {
		for _, size := range []int{2, 4} {
			synctest.Test(t, func(t *testing.T) {
				f, p := stocked(t, keeping(size, 2), 2)
				p.ResetGradually()
				time.Sleep(after)
				p.Close()
				require.NoError(t, p.Shutdown(background))
				builds := f.buildCount()
				p.ResetGradually()
				p.Reset()
				time.Sleep(time.Hour)
				require.Equal(t, builds, f.buildCount())
			})
		}
	}
}

func TestTheConstructorAndTheDestructorMayReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *pool.Pool[*thing]
		f := &factory{}
		f.build = func(_ context.Context, n int) error {
			if n == 3 {
				p.ResetGradually()
				p.Stats()
			}
			return nil
		}
		f.end = func(th *thing) {
			if th.id == 1 {
				p.Reset()
				p.Suspend()
				p.Resume()
			}
		}
		p = newPool(t, f, sized(3))
		stock(t, p, 2)
		p.ResetGradually()
		time.Sleep(time.Minute)
		require.Zero(t, p.Stats().Stale)
		acquire(t, p, "a").Release()
	})
}

// A gradual reset ends, whatever else happens, and leaves the pool as good as
// it was.
func TestAGradualResetEndsWhateverHappens(t *testing.T) {
	seed := newSeed(t)
	for round := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, round))
			f := &factory{end: func(th *thing) { time.Sleep(time.Duration(th.id%7) * 100 * time.Millisecond) }}
			f.build = func(_ context.Context, n int) error {
				time.Sleep(time.Duration(n%5) * 200 * time.Millisecond)
				if n%11 == 10 {
					return context.DeadlineExceeded
				}
				return nil
			}
			cfg := aging(6, r.IntN(4), pool.Age{MaxLifetime: time.Minute, MaxUses: 20})
			cfg.Sizes.MaxConcurrentBuilds = r.IntN(3)
			p := newPool(t, f, cfg)
			for range 8 {
				go func() {
					for range 100 {
						l, err := p.Acquire(background, "a")
						if err != nil {
							time.Sleep(time.Second)
							continue
						}
						time.Sleep(50 * time.Millisecond)
						if l.Value().id%13 == 0 {
							l.Destroy()
						}
						l.Release()
					}
				}()
			}
			for range 30 {
				time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
				switch r.IntN(4) {
				case 0:
					p.ResetGradually()
				case 1:
					p.Reset()
				case 2:
					require.NoError(t, p.Resize(r.IntN(7)))
				case 3:
					acquired, ok := p.TryAcquire("b")
					if ok {
						acquired.Destroy()
					}
				}
			}
			require.NoError(t, p.Resize(6))
			p.ResetGradually()
			rolled(t, p)
			time.Sleep(2 * time.Minute)
			for start := time.Now(); warmNow(p) < cfg.Sizes.MinIdle; time.Sleep(time.Millisecond) {
				require.Less(t, time.Since(start), 5*time.Second) // one may have come of age, and its successor have failed
			}
			require.NoError(t, p.Warm(background))
		})
	}
}
