package pool_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestEveryMistakeAboutTheLifeOfAResourceNamesFieldAndValue(t *testing.T) {
	type config = pool.Config[int]
	ok := func(context.Context, int) error { return nil }
	for _, mistake := range []struct {
		change func(*config)
		says   string
	}{
		{func(c *config) { c.DestroyTimeout = -time.Second }, "DestroyTimeout is -1s, must not be negative"},
		{func(c *config) { c.Sizes.MinIdle = -1 }, "Sizes.MinIdle is -1, must not be negative"},
		{func(c *config) { c.Sizes.MaxIdle = -2 }, "Sizes.MaxIdle is -2, must not be negative"},
		{func(c *config) { c.Sizes.MaxConcurrentBuilds = -3 }, "Sizes.MaxConcurrentBuilds is -3, must not be negative"},
		{func(c *config) { c.Sizes.MinIdle = 5 }, "Sizes.MinIdle is 5, more than the MaxSize of 4"},
		{func(c *config) { c.Sizes.MinIdle, c.Sizes.MaxIdle = 3, 2 }, "Sizes.MinIdle is 3, more than the MaxIdle of 2"},
		{func(c *config) { c.Age.MaxIdleTime = -time.Second }, "Age.MaxIdleTime is -1s, must not be negative"},
		{func(c *config) { c.Age.MaxLifetime = -time.Second }, "Age.MaxLifetime is -1s, must not be negative"},
		{func(c *config) { c.Age.MaxLifetime, c.Age.MaxLifetimeJitter = time.Hour, -time.Second }, "Age.MaxLifetimeJitter is -1s, must not be negative"},
		{func(c *config) { c.Age.MaxLifetimeJitter = time.Second }, "Age.MaxLifetimeJitter is 1s without a MaxLifetime"},
		{func(c *config) { c.Age.MaxUses = -1 }, "Age.MaxUses is -1, must not be negative"},
		{func(c *config) { c.Health.CheckAfter = time.Second }, "Health.CheckAfter is 1s without a Check"},
		{func(c *config) { c.Health.CheckTimeout = time.Second }, "Health.CheckTimeout is 1s without a Check"},
		{func(c *config) { c.Health.KeepAlive = time.Second }, "Health.KeepAlive is 1s without a Check"},
		{func(c *config) { c.Health.Check, c.Health.CheckAfter = ok, -1 }, "Health.CheckAfter is -1ns, must not be negative"},
		{func(c *config) { c.Health.Check, c.Health.CheckTimeout = ok, -1 }, "Health.CheckTimeout is -1ns, must not be negative"},
		{func(c *config) { c.Health.Check, c.Health.KeepAlive = ok, -1 }, "Health.KeepAlive is -1ns, must not be negative"},
		{func(c *config) { c.Tenancy.PrepareTimeout = time.Second }, "Tenancy.PrepareTimeout is 1s without a Prepare"},
		{func(c *config) { c.Tenancy.ResetTimeout = time.Second }, "Tenancy.ResetTimeout is 1s without a Reset"},
		{func(c *config) {
			c.Tenancy.Prepare = func(context.Context, int, pool.Handover) error { return nil }
			c.Tenancy.PrepareTimeout = -1
		}, "Tenancy.PrepareTimeout is -1ns, must not be negative"},
		{func(c *config) { c.Tenancy.Reset, c.Tenancy.ResetTimeout = ok, -1 }, "Tenancy.ResetTimeout is -1ns, must not be negative"},
		{func(c *config) { c.Tenancy.PrepareInline = true }, "Tenancy.PrepareInline is true without a Prepare"},
		{func(c *config) { c.Tenancy.Reset, c.Tenancy.ResetIdle = ok, true }, "Tenancy.ResetIdle is true without a Prepare and a Reset"},
		{func(c *config) { c.Tenancy.Isolation = 2 }, "Tenancy.Isolation is 2, must be Shared or Dedicated"},
		{func(c *config) { c.Tenancy.Isolation = -1 }, "Tenancy.Isolation is -1, must be Shared or Dedicated"},
		{func(c *config) { c.Guard.LeakAfter = -time.Second }, "Guard.LeakAfter is -1s, must not be negative"},
		{func(c *config) { c.Reclaim.After = -time.Second }, "Reclaim.After is -1s, must not be negative"},
		{func(c *config) { c.Reclaim.Grace = -time.Second }, "Reclaim.Grace is -1s, must not be negative"},
	} {
		t.Run(mistake.says, func(t *testing.T) {
			cfg := config{MaxSize: 4, Constructor: func(context.Context) (int, error) { return 0, nil }}
			mistake.change(&cfg)
			p, err := pool.New(cfg)
			require.Nil(t, p)
			require.EqualError(t, err, "pool: Config."+mistake.says)
		})
	}
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	_, err := pool.New(pool.Config[int]{
		MaxSize: -1,
		Sizes:   pool.Sizes{MinIdle: -2, MaxIdle: -3},
		Age:     pool.Age{MaxUses: -4},
		Reclaim: pool.Reclaim{Grace: -5},
	})
	for _, part := range []string{"Constructor is nil", "MaxSize is -1", "MinIdle is -2", "MaxIdle is -3", "MaxUses is -4", "Grace is -5ns"} {
		require.ErrorContains(t, err, part)
	}
}

func TestTheLargestSizesAreAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keeping(4, 4)
		cfg.Sizes.MaxIdle = 4
		cfg.Sizes.MaxConcurrentBuilds = 100
		require.Equal(t, 4, warmNow(newPool(t, &factory{}, cfg)))
	})
}

func TestMinIdleMayExceedTheCapacityOfTheMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keeping(4, 4)
		cfg.Sharing.Capacity = 2
		p := newPool(t, &factory{}, cfg)
		require.Equal(t, 2, warmNow(p))
	})
}

func TestTheDefaultsOfTheTimeoutsAreInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var checked, reset, prepared time.Duration
		remaining := func(ctx context.Context, d *time.Duration) error {
			at, ok := ctx.Deadline()
			require.True(t, ok)
			*d = time.Until(at)
			return nil
		}
		cfg := sized(1)
		cfg.Health.Check = func(ctx context.Context, _ *thing) error { return remaining(ctx, &checked) }
		cfg.Tenancy.Reset = func(ctx context.Context, _ *thing) error { return remaining(ctx, &reset) }
		cfg.Tenancy.Prepare = func(ctx context.Context, _ *thing, _ pool.Handover) error { return remaining(ctx, &prepared) }
		p := newPool(t, &factory{}, cfg)
		stock(t, p, 1)
		require.Equal(t, 5*time.Second, reset)
		require.Equal(t, 5*time.Second, prepared)
		time.Sleep(500 * time.Millisecond)
		stock(t, p, 1)
		require.Zero(t, checked, "trusted for 500 ms")
		time.Sleep(501 * time.Millisecond)
		stock(t, p, 1)
		require.Equal(t, 5*time.Second, checked)
	})
}

func TestForEverIsNotAtOnce(t *testing.T) {
	const forEver = time.Duration(math.MaxInt64)
	type config = pool.Config[*thing]
	for name, set := range map[string]func(*config){
		"idle time": func(c *config) { c.Age.MaxIdleTime = forEver },
		"lifetime":  func(c *config) { c.Age.MaxLifetime, c.Age.MaxLifetimeJitter = forEver, forEver },
		"uses":      func(c *config) { c.Age.MaxUses = math.MaxInt },
		"timeouts":  func(c *config) { c.BuildTimeout, c.DestroyTimeout = forEver, forEver },
		"check":     func(c *config) { c.Health.CheckAfter, c.Health.CheckTimeout = forEver, forEver },
		"keepalive": func(c *config) { c.Health.CheckAfter, c.Health.KeepAlive = forEver, forEver },
		"leak":      func(c *config) { c.Guard.LeakAfter = forEver },
		"reclaim":   func(c *config) { c.Reclaim = pool.Reclaim{After: forEver, Grace: forEver} },
		"leak and idle time": func(c *config) {
			c.Guard.LeakAfter, c.Age.MaxIdleTime = forEver, time.Hour // one alarm for both
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sized(3)
				set(&cfg)
				if cfg.Health.CheckAfter > 0 {
					cfg.Health.Check = func(context.Context, *thing) error { t.Error("checked"); return nil }
				}
				cfg.Trace.Leak = func(pool.Leak) { t.Error("reported") }
				f := &factory{}
				p := newPool(t, f, cfg)
				time.Sleep(time.Hour)
				stock(t, p, 3)
				time.Sleep(10000 * time.Hour)
				if cfg.Age.MaxIdleTime == time.Hour {
					require.Zero(t, warmNow(p))
					return
				}
				require.Equal(t, 3, warmNow(p))
				leases := []pool.Lease[*thing]{acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "a")}
				waiting := begin(background, p, "b")
				time.Sleep(10000 * time.Hour)
				require.False(t, waiting.over())
				require.Zero(t, p.Stats().Revocations)
				for _, l := range leases {
					l.Release()
				}
				waiting.granted(t).Release()
				require.Equal(t, 3, f.buildCount())
			})
		})
	}
}
