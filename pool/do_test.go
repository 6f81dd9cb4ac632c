package pool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestDoReleasesWhenTheFunctionReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		ctx := fairshare.WithTenant(background, "carried")
		require.NoError(t, p.Do(ctx, "", func(inner context.Context, th *thing) error {
			require.Equal(t, "carried", fairshare.TenantFrom(inner))
			require.Equal(t, 1, th.id)
			require.Equal(t, 1, p.Stats().InUse)
			return nil
		}))
		for name, stats := range p.Tenants() {
			require.Equal(t, "carried", name)
			require.EqualValues(t, 1, stats.Acquired)
		}
		failure := errors.New("no such table")
		require.Equal(t, failure, p.Do(background, "a", func(context.Context, *thing) error { return failure }))

		synctest.Wait()
		stats := p.Stats()
		require.Zero(t, stats.InUse)
		require.Equal(t, 1, stats.Warm, "an error of the caller's work leaves the resource alone")
		require.Zero(t, f.endCount())
	})
}

func TestDoDestroysABadResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		err := p.Do(background, "a", func(context.Context, *thing) error {
			return fmt.Errorf("%w: broken pipe", pool.ErrBadResource)
		})
		require.EqualError(t, err, "pool: bad resource: broken pipe")
		synctest.Wait()
		require.Equal(t, 1, f.endCount())
		stats := p.Stats()
		require.Zero(t, stats.InUse)
		require.Zero(t, stats.Warm)
	})
}

func TestDoDestroysTheResourceOnAPanicAndLetsItThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		require.PanicsWithValue(t, "out of paper", func() {
			_ = p.Do(background, "a", func(context.Context, *thing) error { panic("out of paper") })
		})
		synctest.Wait()
		require.Equal(t, 1, f.endCount())
		acquire(t, p, "b").Release()
	})
}

func TestDoDestroysTheResourceOnGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		go func() {
			_ = p.Do(background, "a", func(context.Context, *thing) error { runtime.Goexit(); return nil })
		}()
		synctest.Wait()
		require.Equal(t, 1, f.endCount())
		acquire(t, p, "b").Release()
	})
}

func TestDoWithoutAResourceDoesNotCallTheFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		dead, cancel := context.WithCancel(background)
		cancel()
		err := p.Do(dead, "a", func(context.Context, *thing) error {
			t.Error("called")
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		var e *pool.AcquireError
		require.ErrorAs(t, err, &e)
		require.Equal(t, "a", e.Tenant)
	})
}
