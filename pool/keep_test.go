package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// lifelong is a configuration with everything that looks after idle resources.
func lifelong() pool.Config[*thing] {
	cfg := aging(6, 2, pool.Age{
		MaxIdleTime: 5 * time.Second, MaxLifetime: time.Minute, MaxLifetimeJitter: 10 * time.Second, MaxUses: 100,
	})
	cfg.Sizes.MaxIdle, cfg.Sizes.MaxConcurrentBuilds = 4, 2
	cfg.Health.Check = func(ctx context.Context, _ *thing) error { return takes(time.Second)(ctx, 0) }
	cfg.Health.KeepAlive = 3 * time.Second
	return cfg
}

// A timer that is set again and again for what cannot be done yet would keep
// these from ever ending.
func TestTimeIsNotSpentOnWhatIsNotDue(t *testing.T) {
	for name, change := range map[string]func(*pool.Config[*thing]){
		"all": func(*pool.Config[*thing]) {},
		"idle time alone": func(c *pool.Config[*thing]) {
			c.Health = pool.Health[*thing]{}
			c.Age.MaxLifetime, c.Age.MaxLifetimeJitter = 0, 0
		},
		"without checks":     func(c *pool.Config[*thing]) { c.Health = pool.Health[*thing]{} },
		"without idle time":  func(c *pool.Config[*thing]) { c.Age.MaxIdleTime = 0 },
		"one build at once":  func(c *pool.Config[*thing]) { c.Sizes.MaxConcurrentBuilds = 1 },
		"without MinIdle":    func(c *pool.Config[*thing]) { c.Sizes.MinIdle = 0 },
		"no room to replace": func(c *pool.Config[*thing]) { c.MaxSize = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{build: takes(30 * time.Second)} // replacements are long under way
				cfg := lifelong()
				cfg.BuildTimeout = time.Minute
				change(&cfg)
				p := newPool(t, f, cfg)
				time.Sleep(time.Minute)
				for range 20 {
					stock(t, p, 2)
					time.Sleep(10 * time.Minute)
				}
				require.LessOrEqual(t, f.buildCount(), 12*60*2, "of two at a time, twelve hours at the most")
			})
		})
	}
}

// A resource past its lifetime waits for its successor; another one comes back
// and makes it one too many.
func TestASurplusOldResourceDoesNotKeepTheTimerBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := aging(3, 1, pool.Age{MaxLifetime: 20 * time.Second, MaxIdleTime: 5 * time.Second})
		cfg.Sharing.Capacity = 2
		cfg.BuildTimeout = 2 * time.Minute
		p := newPool(t, f, cfg)
		time.Sleep(15 * time.Second)
		old, young := acquire(t, p, "a"), acquire(t, p, "a")
		old.Release()
		f.switchTo(takes(time.Minute))
		require.NoError(t, p.Resize(3))
		time.Sleep(6 * time.Second)
		require.Equal(t, 1, p.Stats().Building)
		require.Equal(t, 1, p.Stats().Warm)
		young.Release()
		time.Sleep(time.Second)
		require.Equal(t, 1, warmNow(p))
		require.Equal(t, map[pool.Retirement]uint64{pool.Idle: 1}, p.Stats().Retired)
		time.Sleep(time.Hour)
		require.Equal(t, 1, warmNow(p))
	})
}

func TestNothingHappensToAnIdlePoolAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, lifelong())
		stock(t, p, 3)
		time.Sleep(10 * time.Minute)
		require.NoError(t, p.Shutdown(background))
		builds, checks := f.buildCount(), p.Stats().CheckFailures
		time.Sleep(24 * time.Hour)
		require.Equal(t, builds, f.buildCount())
		require.Equal(t, f.buildCount(), f.endCount())
		require.Equal(t, checks, p.Stats().CheckFailures)
	})
}

// newPool checks, and the bubble with it, that nothing is left.
func TestClosingAtAnyTimeLeavesNothing(t *testing.T) {
	for after := range 40 {
		synctest.Test(t, func(t *testing.T) {
			f := &factory{build: takes(2 * time.Second), end: func(*thing) { time.Sleep(time.Second) }}
			p := newPool(t, f, lifelong())
			warming := make(chan struct{})
			go func() {
				defer close(warming)
				_ = p.Warm(background)
			}()
			time.Sleep(3 * time.Second)
			begin(background, p, "a").granted(t).Release()
			p.ResetGradually()
			time.Sleep(time.Duration(after) * 1700 * time.Millisecond)
			p.Close()
			<-warming
		})
	}
}

// The time to close is in the middle of a background check, which is told.
func TestCloseEndsABackgroundCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := lifelong()
		cfg.Health.Check = func(ctx context.Context, _ *thing) error { <-ctx.Done(); return ctx.Err() }
		cfg.Health.CheckTimeout = time.Hour
		p := newPool(t, &factory{}, cfg)
		time.Sleep(4 * time.Second)
		require.Equal(t, 1, p.Stats().Checking)
		start := time.Now()
		require.NoError(t, p.Shutdown(background))
		require.Zero(t, time.Since(start))
	})
}

func TestABackgroundCheckThatFailsIsRepaired(t *testing.T) {
	for name, check := range map[string]func(context.Context, *thing) error{
		"error":  func(context.Context, *thing) error { return pool.ErrBadResource },
		"panic":  func(context.Context, *thing) error { panic("jammed") },
		"hangs":  func(ctx context.Context, _ *thing) error { <-ctx.Done(); time.Sleep(time.Minute); return nil },
		"ignore": func(context.Context, *thing) error { time.Sleep(time.Minute); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := keeping(3, 2)
				cfg.Health.KeepAlive = time.Minute
				cfg.Health.CheckTimeout = time.Second
				cfg.Health.Check = func(ctx context.Context, th *thing) error {
					if th.id > 2 {
						return nil
					}
					return check(ctx, th)
				}
				p := newPool(t, &factory{}, cfg)
				time.Sleep(10 * time.Minute)
				require.Equal(t, 2, warmNow(p))
				require.Equal(t, map[pool.Retirement]uint64{pool.CheckFailed: 2}, p.Stats().Retired)
			})
		})
	}
}

// The resource under check is of an earlier generation, or too old, or one too
// many, when the check is over.
func TestWhatHappensDuringABackgroundCheckIsMadeUpFor(t *testing.T) {
	for name, c := range map[string]struct {
		do  func(*testing.T, *pool.Pool[*thing])
		why pool.Retirement
	}{
		"reset":         {func(_ *testing.T, p *pool.Pool[*thing]) { p.Reset() }, pool.Replaced},
		"gradual reset": {func(_ *testing.T, p *pool.Pool[*thing]) { p.ResetGradually() }, pool.Replaced},
		"shrink":        {func(t *testing.T, p *pool.Pool[*thing]) { require.NoError(t, p.Resize(0)) }, pool.Resized},
		"age":           {func(*testing.T, *pool.Pool[*thing]) {}, pool.Lifetime},
		"idle":          {func(*testing.T, *pool.Pool[*thing]) { time.Sleep(4 * time.Second) }, pool.Idle},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := aging(2, 0, pool.Age{MaxLifetime: 15 * time.Second})
				cfg.Health.KeepAlive = 10 * time.Second
				cfg.Health.Check = func(context.Context, *thing) error { time.Sleep(8 * time.Second); return nil }
				cfg.Health.CheckTimeout = time.Minute
				switch c.why {
				case pool.Idle:
					cfg.Age = pool.Age{MaxIdleTime: 12 * time.Second}
				case pool.Replaced, pool.Resized:
					cfg.Age.MaxLifetime = 0
				}
				p := newPool(t, &factory{}, cfg)
				stock(t, p, 1)
				time.Sleep(11 * time.Second)
				require.Equal(t, 1, p.Stats().Checking)
				c.do(t, p)
				time.Sleep(8 * time.Second)
				synctest.Wait()
				require.Equal(t, map[pool.Retirement]uint64{c.why: 1}, p.Stats().Retired)
				require.NoError(t, p.Resize(2))
			})
		})
	}
}

func TestAResourceUnderCheckGoesToWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(1)
		cfg.Health.KeepAlive = 10 * time.Second
		cfg.Health.Check = func(context.Context, *thing) error { time.Sleep(time.Second); return nil }
		p := newPool(t, &factory{}, cfg)
		stock(t, p, 1)
		time.Sleep(10*time.Second + time.Millisecond)
		waiting := begin(background, p, "a")
		require.Equal(t, 1, waiting.granted(t).Value().id)
		require.InDelta(t, time.Second, waiting.waited, float64(2*time.Millisecond))
		waiting.lease.Release()
	})
}

func TestMaxIdleDestroysTheOneIdleForLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := sized(4)
		cfg.Sizes.MaxIdle = 2
		p := newPool(t, f, cfg)
		a, b, c := acquire(t, p, "a"), acquire(t, p, "b"), acquire(t, p, "c")
		first := a.Value()
		a.Release()
		b.Release()
		require.Equal(t, 2, warmNow(p))
		require.Zero(t, f.endCount())
		c.Release()
		require.Equal(t, 2, warmNow(p))
		require.True(t, first.ended.Load())
		require.Equal(t, map[pool.Retirement]uint64{pool.Surplus: 1}, p.Stats().Retired)
	})
}

func TestMaxIdleHoldsForABuildThatNobodyWantsAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		f.build = func(ctx context.Context, n int) error {
			if n == 1 {
				return nil
			}
			return takes(time.Second)(ctx, n)
		}
		cfg := sized(4)
		cfg.Sizes.MaxIdle = 1
		p := newPool(t, f, cfg)
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		l.Release()
		waiting.granted(t).Release()
		time.Sleep(time.Minute)
		require.Equal(t, 1, warmNow(p))
	})
}

// While one is checked it is not idle, and others come.
func TestMaxIdleHoldsAfterACheckInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(2)
		cfg.Sizes.MaxIdle = 1
		cfg.Health.KeepAlive = 10 * time.Second
		cfg.Health.Check = func(context.Context, *thing) error { time.Sleep(time.Second); return nil }
		p := newPool(t, &factory{}, cfg)
		stock(t, p, 1)
		time.Sleep(10*time.Second + time.Millisecond)
		require.Equal(t, 1, p.Stats().Checking)
		stock(t, p, 1)
		time.Sleep(2 * time.Second)
		require.Equal(t, 1, warmNow(p))
		require.EqualValues(t, 1, p.Stats().Retired[pool.Surplus])
	})
}
