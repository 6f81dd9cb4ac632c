package pool_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// cleaned is the configuration of a pool whose things reset cleans.
func cleaned(maxSize int, reset func(context.Context, *thing) error) pool.Config[*thing] {
	cfg := sized(maxSize)
	cfg.Tenancy.Reset = reset
	return cfg
}

func TestResetRunsAfterEveryLeaseAndOffTheCallersPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var resets atomic.Int32
		p := newPool(t, &factory{}, cleaned(1, func(context.Context, *thing) error {
			time.Sleep(time.Second)
			resets.Add(1)
			return nil
		}))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		start := time.Now()
		l.Release()
		require.Zero(t, time.Since(start))
		synctest.Wait()
		require.False(t, waiting.over(), "not warm before it is clean")
		stats := p.Stats()
		require.Equal(t, 1, stats.Resetting)
		require.Equal(t, 1, stats.InUse, "its tenant is charged")
		require.Zero(t, stats.Leased+stats.Warm)
		waiting.granted(t).Release()
		require.Equal(t, time.Second, waiting.waited)
		require.EqualValues(t, 1, resets.Load())
		require.NoError(t, p.Do(background, "c", func(context.Context, *thing) error { return nil }))
		require.EqualValues(t, 2, resets.Load())
		time.Sleep(time.Second)
		synctest.Wait()
		l, ok := p.TryAcquire("d")
		require.True(t, ok)
		l.Release()
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, 4, resets.Load())
	})
}

func TestAResourceThatCannotBeCleanedIsDestroyedAtItsTenantsExpense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Minute) }}
		p := newPool(t, f, cleaned(1, func(context.Context, *thing) error { return errBroken }))
		acquire(t, p, "a").Release()
		waiting := begin(background, p, "b")
		stats := p.Stats()
		require.EqualValues(t, 1, stats.ResetFailures)
		require.EqualValues(t, 1, stats.Retired[pool.ResetFailed])
		require.Equal(t, 1, stats.InUse)
		require.Zero(t, stats.Resetting)
		l := waiting.granted(t)
		require.Equal(t, 2, l.Value().id)
		require.Equal(t, time.Minute, waiting.waited)
		l.Release()
	})
}

func TestAResourceThatIsToGoIsNotCleanedFirst(t *testing.T) {
	for why, before := range map[pool.Retirement]func(*pool.Pool[*thing]){
		pool.Stopped:  func(p *pool.Pool[*thing]) { p.Close() },
		pool.Replaced: func(p *pool.Pool[*thing]) { p.Reset() },
		pool.Resized:  func(p *pool.Pool[*thing]) { _ = p.Resize(0) },
	} {
		t.Run(string(why), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, &factory{}, cleaned(1, func(context.Context, *thing) error {
					t.Error("cleaned in vain")
					return nil
				}))
				l := acquire(t, p, "a")
				before(p)
				l.Release()
				synctest.Wait()
				require.Equal(t, map[pool.Retirement]uint64{why: 1}, p.Stats().Retired)
				require.Zero(t, p.Stats().InUse)
			})
		})
	}
}

func TestAResourceThatIsToGoWhileItIsCleanedGoesAfterwards(t *testing.T) {
	for why, meanwhile := range map[pool.Retirement]func(*pool.Pool[*thing]){
		pool.Stopped:  func(p *pool.Pool[*thing]) { p.Close() },
		pool.Replaced: func(p *pool.Pool[*thing]) { p.Reset() },
		pool.Resized:  func(p *pool.Pool[*thing]) { _ = p.Resize(0) },
	} {
		t.Run(string(why), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, &factory{}, cleaned(1, func(context.Context, *thing) error {
					time.Sleep(50 * time.Millisecond)
					return nil
				}))
				acquire(t, p, "a").Release()
				synctest.Wait()
				meanwhile(p)
				require.Equal(t, 1, p.Stats().Resetting)
				time.Sleep(50 * time.Millisecond)
				synctest.Wait()
				require.Equal(t, map[pool.Retirement]uint64{why: 1}, p.Stats().Retired)
				require.Zero(t, p.Stats().Resetting+p.Stats().InUse)
			})
		})
	}
}

// What was destroyed or hijacked is not cleaned; what a grant that came too
// late left behind is: nobody knows what has been done to it.
func TestOnlyReturnedResourcesAreCleaned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resets := 0
		f := &factory{}
		p := newPool(t, f, cleaned(2, func(context.Context, *thing) error { resets++; return nil }))
		acquire(t, p, "a").Destroy()
		f.hijack(acquire(t, p, "a"))
		synctest.Wait()
		require.Zero(t, resets)
	})
}
