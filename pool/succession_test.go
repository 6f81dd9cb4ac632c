package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestAGradualResetReplacesOneAfterTheOtherAndNoneIsMissing(t *testing.T) {
	for name, minIdle := range map[string]int{"with MinIdle": 3, "without": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, p := stocked(t, keeping(4, minIdle), 3)
				start := time.Now()
				p.ResetGradually()
				require.Zero(t, time.Since(start))
				require.Equal(t, 3, p.Stats().Stale)
				require.Equal(t, 3, rolled(t, p))
				time.Sleep(time.Minute)
				require.Equal(t, 3, warmNow(p))
				require.Equal(t, 3, f.endCount())
				require.Equal(t, 6, f.buildCount())
				require.Equal(t, 1, f.atOnce())
				require.Equal(t, map[pool.Retirement]uint64{pool.Replaced: 3}, p.Stats().Retired)
			})
		})
	}
}

func TestAGradualResetKeepsWithinMaxIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keeping(4, 2)
		cfg.Sizes.MaxIdle = 2
		f, p := stocked(t, cfg, 2)
		p.ResetGradually()
		require.Equal(t, 2, rolled(t, p))
		time.Sleep(time.Minute)
		require.Equal(t, 2, warmNow(p))
		require.Equal(t, 4, f.buildCount())
		require.Equal(t, map[pool.Retirement]uint64{pool.Replaced: 2}, p.Stats().Retired)
	})
}

// The one in the middle of its replacement has no place to come back to; the
// leased ones still have to have their turn.
func TestAGradualResetGoesOnAfterAShrinkAndAGrowth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := stocked(t, sized(3), 3)
		leases := []pool.Lease[*thing]{acquire(t, p, "a"), acquire(t, p, "a")}
		p.ResetGradually() // the third is being closed
		synctest.Wait()
		require.NoError(t, p.Resize(2))
		time.Sleep(time.Minute)
		require.NoError(t, p.Resize(3))
		for _, l := range leases {
			l.Release()
		}
		rolled(t, p)
	})
}

func TestResetDoesNotLetMinIdleWaitForADoomedBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		f.build = func(_ context.Context, n int) error {
			if n == 1 {
				time.Sleep(30 * time.Second) // to a server that is gone
			}
			return nil
		}
		p := newPool(t, f, keeping(4, 2))
		time.Sleep(time.Second)
		p.Reset()
		require.Equal(t, 2, warmNow(p))
		time.Sleep(time.Minute)
		require.Equal(t, 2, warmNow(p))
		acquire(t, p, "a").Destroy()
		require.Equal(t, 2, warmNow(p))
	})
}

// Its turn has come, and its time too; the failure of its successor excuses
// the first alone.
func TestAResourceWhoseTimeEndsWhileItIsReplacedGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, aging(2, 1, pool.Age{MaxLifetime: time.Minute}))
		time.Sleep(55 * time.Second)
		f.switchTo(func(context.Context, int) error { time.Sleep(10 * time.Second); return context.Canceled })
		p.ResetGradually()
		time.Sleep(9 * time.Second)
		require.Equal(t, 1, warmNow(p))
		time.Sleep(2 * time.Second)
		require.Zero(t, warmNow(p))
		require.Equal(t, map[pool.Retirement]uint64{pool.Lifetime: 1}, p.Stats().Retired)
	})
}

// Of several in line for the next build, Reset takes all; the one whose turn it
// was holds up nothing.
func TestAGradualResetRightAfterAResetReplacesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(4)
		cfg.BuildTimeout = time.Minute
		f, p := stocked(t, cfg, 3)
		a, b := acquire(t, p, "a"), acquire(t, p, "b")
		p.ResetGradually() // the third has its turn
		synctest.Wait()
		f.switchTo(takes(30 * time.Second))
		p.Reset()
		p.ResetGradually()
		a.Release()
		b.Release()
		rolled(t, p)
		require.GreaterOrEqual(t, f.endCount(), 3)
	})
}
