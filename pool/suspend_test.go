package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestWhileSuspendedAcquiresWaitAndLeasesGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(3))
		stock(t, p, 2)
		l := acquire(t, p, "a")
		p.Suspend()
		require.True(t, p.Stats().Suspended)
		waiting := []*pending{begin(background, p, "a"), begin(background, p, "b"), begin(background, p, "c")}
		_, ok := p.TryAcquire("d")
		require.False(t, ok)
		time.Sleep(time.Hour)
		for _, w := range waiting {
			require.False(t, w.over())
		}
		require.Equal(t, 2, f.buildCount(), "nothing is built for those who may not have it")
		require.Equal(t, 3, p.Stats().Waiting)
		require.False(t, l.Value().ended.Load())
		l.Release()
		require.Equal(t, 2, warmNow(p), "what returns stays")

		p.Resume()
		require.False(t, p.Stats().Suspended)
		for _, w := range waiting {
			w.granted(t)
			require.Equal(t, time.Hour, w.waited)
		}
		for _, w := range waiting {
			w.lease.Release()
		}
	})
}

func TestSuspendDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		p.Suspend()
		p.Suspend()
		p.Resume()
		acquire(t, p, "a").Release()
		p.Resume()
		acquire(t, p, "a").Release()
	})
}

func TestAWaitEndsWithItsContextWhileSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		p.Suspend()
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		w := begin(ctx, p, "a")
		require.ErrorIs(t, w.failed(t), context.DeadlineExceeded)
		require.Equal(t, time.Second, w.waited)
		p.Resume()
		require.Zero(t, p.Stats().Waiting)
		acquire(t, p, "a").Release()
	})
}

func TestABuildThatEndsWhileSuspendedIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		p := newPool(t, f, sized(1))
		waiting := begin(background, p, "a")
		p.Suspend()
		time.Sleep(time.Minute)
		require.False(t, waiting.over())
		require.Equal(t, 1, p.Stats().Warm)
		p.Resume()
		waiting.granted(t).Release()
		require.Equal(t, 1, f.buildCount())
	})
}

func TestASuspendedPoolMayBeResizedAndReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(2))
		stock(t, p, 2)
		p.Suspend()
		waiting := begin(background, p, "a")
		require.NoError(t, p.Resize(0))
		p.Reset()
		require.NoError(t, p.Resize(1))
		p.ResetGradually()
		require.False(t, waiting.over())
		p.Resume()
		require.Equal(t, 3, waiting.granted(t).Value().id)
		waiting.lease.Release()
	})
}

func TestASuspendedPoolMayBeClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		stock(t, p, 1)
		p.Suspend()
		waiting := begin(background, p, "a")
		p.Close()
		require.ErrorIs(t, waiting.failed(t), pool.ErrClosed)
		require.Equal(t, 1, f.endCount())
		p.Resume()
		p.Suspend()
		_, err := p.Acquire(background, "a")
		require.ErrorIs(t, err, pool.ErrClosed)
	})
}

func TestStatsShowHowFarAShutdownHasGot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(10 * time.Second) }}
		p := newPool(t, f, sized(4))
		stock(t, p, 3)
		first, second := acquire(t, p, "a"), acquire(t, p, "a")
		f.switchTo(func(context.Context, int) error { time.Sleep(time.Second); return nil })
		third := acquire(t, p, "b")
		begin(background, p, "b")
		third.Release()
		require.Equal(t, 1, p.Stats().Building)
		over := make(chan error, 1)
		go func() { over <- p.Shutdown(background) }()
		stages := func(leased, building, destroying int) {
			t.Helper()
			synctest.Wait()
			stats := p.Stats()
			require.True(t, stats.Closed)
			require.Zero(t, stats.Warm)
			require.Equal(t, []int{leased, building, destroying}, []int{stats.Leased, stats.Building, stats.Destroying})
		}
		stages(3, 1, 0)
		time.Sleep(time.Second)
		stages(3, 0, 1)
		first.Release()
		second.Destroy()
		stages(1, 0, 3)
		time.Sleep(time.Minute)
		stages(1, 0, 0)
		require.Empty(t, over)
		for holder := range p.Holders() {
			require.Equal(t, "b", holder.Tenant, "who keeps it up")
		}
		p.Revoke(nil, func(pool.Holder) bool { return true })
		require.NoError(t, <-over)
		stages(0, 0, 0)
		require.EqualValues(t, 4, p.Stats().Destroyed)
	})
}

func TestShutdownEndsAtOnceWithAContextThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(2))
		l := acquire(t, p, "a")
		ctx, cancel := context.WithCancel(background)
		cancel()
		err := p.Shutdown(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "1 lease out, 0 resources being built and 0 being destroyed")
		l.Release()
		require.NoError(t, p.Shutdown(background))
	})
}
