package pool_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A caller without a name costs nothing, not even a build, whatever options the
// pool has.
func TestWhoeverNamesNoTenantIsRefusedAtOnceWhereOneIsRequired(t *testing.T) {
	for name, option := range map[string]func(*pool.Config[*thing]){
		"plain": func(*pool.Config[*thing]) {},
		"prepared": func(c *pool.Config[*thing]) {
			c.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { return nil }
		},
		"dedicated": func(c *pool.Config[*thing]) { c.Tenancy.Isolation = pool.Dedicated },
		"nested":    func(c *pool.Config[*thing]) { c.Guard.ForbidNested = true },
		"traced": func(c *pool.Config[*thing]) {
			c.Trace.WaitStart = func(ctx context.Context, _ pool.Event) context.Context { return ctx }
			c.Trace.AcquireDone = func(context.Context, pool.Event) {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sharing(2, fairshare.Config{RequireTenant: true})
				option(&cfg)
				f := &factory{}
				p := newPool(t, f, cfg)
				member := p.Join("")
				refuseAll := func(ctx context.Context) {
					t.Helper()
					never := func(context.Context, *thing) error { t.Error("called"); return nil }
					_, err := p.Acquire(ctx, "")
					require.ErrorIs(t, err, pool.ErrNoTenant)
					require.ErrorIs(t, p.Do(ctx, "", never), pool.ErrNoTenant)
					_, err = member.Acquire(fairshare.WithTenant(ctx, "a"))
					require.ErrorIs(t, err, pool.ErrNoTenant)
					_, ok := p.TryAcquire("")
					require.False(t, ok)
				}
				refuseAll(background)
				synctest.Wait()
				require.Zero(t, f.buildCount())
				require.Zero(t, p.Stats().ActiveTenants)

				l := acquire(t, p, "a")
				ctx, cancel := l.Context(background)
				refuseAll(fairshare.WithTenant(ctx, ""))
				cancel()
				l.Release()
				require.Zero(t, p.Stats().Deadlocks)
				require.NoError(t, p.Do(fairshare.WithTenant(background, "b"), "", func(context.Context, *thing) error { return nil }))
				require.Zero(t, p.Stats().Waiting)
				member.Leave()
			})
		})
	}
}
