package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// whileInHook calls test in a Prepare, which has to cancel ctx, and again when
// that has returned.
func whileInHook(t *testing.T, inline bool, ctx context.Context, test func(ctx context.Context, over bool)) {
	t.Helper()
	var kept context.Context
	returns := make(chan struct{})
	cfg := prepared(1, func(ctx context.Context, _ *thing, _ pool.Handover) error {
		defer close(returns)
		kept = ctx
		test(ctx, false)
		return nil
	})
	cfg.Tenancy.PrepareInline = inline
	p := newPool(t, &factory{}, cfg)
	_, err := p.Acquire(ctx, "a")
	require.ErrorIs(t, err, context.Canceled)
	<-returns
	synctest.Wait()
	test(kept, true)
}

// What a hook asks its context, in whatever order, is answered as by a context
// of package context.
func TestTheContextOfAHookIsLikeAnyOther(t *testing.T) {
	type key struct{}
	for _, inline := range []bool{false, true} {
		for name, first := range map[string]func(context.Context){
			"asked for nothing": func(context.Context) {},
			"asked for Done":    func(ctx context.Context) { ctx.Done() },
			"asked for Err":     func(ctx context.Context) { _ = ctx.Err() },
			"asked for Cause":   func(ctx context.Context) { _ = context.Cause(ctx) },
			"derived from":      func(ctx context.Context) { _, cancel := context.WithTimeout(ctx, time.Second); cancel() },
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					caller, cancel := context.WithCancelCause(context.WithValue(background, key{}, "of the caller"))
					whileInHook(t, inline, caller, func(ctx context.Context, over bool) {
						if over {
							require.ErrorIs(t, ctx.Err(), context.Canceled)
							require.Equal(t, inline, errors.Is(context.Cause(ctx), errBroken))
							<-ctx.Done()
							return
						}
						first(ctx)
						deadline, ok := ctx.Deadline()
						require.True(t, ok)
						require.Equal(t, 5*time.Second, time.Until(deadline))
						require.Equal(t, "of the caller", ctx.Value(key{}))
						derived, end := context.WithCancel(ctx)
						defer end()
						ended := false
						stop := context.AfterFunc(derived, func() { ended = true })
						defer stop()
						cancel(errBroken)
						synctest.Wait()
						require.Equal(t, inline, ended)
						require.Equal(t, inline, ctx.Err() != nil)
						require.Equal(t, inline, errors.Is(context.Cause(ctx), errBroken))
					})
				})
			})
		}
	}
}

func TestTheContextOfAHookEndsInTimeWithoutBeingAskedBefore(t *testing.T) {
	for name, inline := range map[string]bool{"Prepare": false, "inline": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := prepared(2, func(ctx context.Context, th *thing, _ pool.Handover) error {
					if th.id == 1 {
						require.NoError(t, ctx.Err())
						time.Sleep(time.Second)
						require.Equal(t, context.DeadlineExceeded, ctx.Err())
						require.Equal(t, pool.ErrHookTimeout, context.Cause(ctx))
					}
					return ctx.Err()
				})
				cfg.Tenancy.PrepareInline = inline
				cfg.Tenancy.PrepareTimeout = time.Second
				p := newPool(t, &factory{}, cfg)
				l := begin(background, p, "a").granted(t)
				require.Equal(t, 2, l.Value().id)
				l.Release()
			})
		})
	}
}

func TestAHookThatDoesNothingAllocatesLittle(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*pool.Config[*thing])
		most float64
	}{
		"inline": {func(cfg *pool.Config[*thing]) {
			cfg.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { return nil }
			cfg.Tenancy.PrepareInline = true
		}, 3},
		"Prepare": {func(cfg *pool.Config[*thing]) {
			cfg.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { return nil }
		}, 4},
		"Check": {func(cfg *pool.Config[*thing]) {
			cfg.Health.Check = func(context.Context, *thing) error { return nil }
			cfg.Health.CheckAfter = time.Nanosecond
		}, 4},
		"Reset": {func(cfg *pool.Config[*thing]) {
			cfg.Tenancy.Reset = func(context.Context, *thing) error { return nil }
		}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := sized(2)
			c.set(&cfg)
			p := newPool(t, &factory{}, cfg)
			cycle := func() {
				l, err := p.Acquire(background, "a")
				require.NoError(t, err)
				l.Release()
			}
			require.LessOrEqual(t, testing.AllocsPerRun(1000, cycle), c.most)
		})
	}
}
