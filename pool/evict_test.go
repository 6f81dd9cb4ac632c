package pool_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestWhatIsEvictedServesNobodyAnyMore(t *testing.T) {
	for name, cfg := range map[string]pool.Config[*thing]{"shared": sized(4), "dedicated": dedicated(4)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				p := newPool(t, f, cfg)
				stock(t, p, 3)
				held := acquire(t, p, "stock")
				odd := func(th *thing) bool {
					p.Stats() // it may call the pool
					return th.id%2 == 1
				}
				require.Equal(t, 2, p.Evict(odd))
				require.Zero(t, p.Evict(odd), "once is enough")
				ended := 2
				if held.Value().id%2 == 1 {
					ended = 1
				}
				synctest.Wait()
				require.Equal(t, ended, f.endCount(), "the idle ones at once")
				require.False(t, held.Value().ended.Load())
				held.Release()
				synctest.Wait()
				require.Equal(t, 2, f.endCount(), "the leased one on its return")
				require.EqualValues(t, 2, p.Stats().Retired[pool.Evicted])
				for range 4 {
					l := acquire(t, p, "stock")
					require.NotContains(t, []int{1, 3}, l.Value().id)
					defer l.Release()
				}
			})
		})
	}
}

func TestWhoeverWaitsIsServedInThePlaceOfWhatWasEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		held := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		require.Equal(t, 1, p.Evict(func(*thing) bool { return true }))
		held.Release()
		l := waiting.granted(t)
		require.Equal(t, 2, l.Value().id)
		l.Release()
	})
}

func TestASuspendedPoolBuildsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := keeping(4, 2)
		cfg.Age.MaxLifetime = time.Hour
		p := newPool(t, f, cfg)
		synctest.Wait()
		require.Equal(t, 2, f.buildCount())
		p.Suspend()
		waiting := begin(background, p, "a")
		_, ok := p.TryAcquire("a")
		require.False(t, ok)
		p.ResetGradually()
		time.Sleep(30 * time.Minute)
		require.Equal(t, 2, warmNow(p), "better old ones than none")
		p.Reset()
		time.Sleep(3 * time.Hour)
		require.Equal(t, 2, f.buildCount())
		require.Zero(t, warmNow(p))
		require.NoError(t, p.Warm(background), "that is asked for")
		require.Equal(t, 4, f.buildCount())
		p.Resume()
		waiting.granted(t).Release()
		time.Sleep(time.Second)
		require.GreaterOrEqual(t, warmNow(p), 2)
	})
}
