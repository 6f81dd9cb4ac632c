package pool_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// Who a member is was said when it joined; what the context of an Acquire says
// is for an Acquire by name.
func TestAMemberWithoutANameIsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		var prepared []string
		var traced record[pool.Event]
		cfg := sized(1)
		cfg.Tenancy.Isolation = pool.Dedicated
		cfg.Tenancy.Prepare = func(_ context.Context, _ *thing, h pool.Handover) error {
			prepared = append(prepared, h.Tenant)
			return nil
		}
		cfg.Trace.AcquireDone = func(_ context.Context, e pool.Event) { traced.add(e) }
		p := newPool(t, f, cfg)
		member := p.Join("")
		for _, name := range []string{"x", "y"} {
			l, err := member.Acquire(fairshare.WithTenant(background, name))
			require.NoError(t, err)
			require.Empty(t, l.Tenant())
			l.Release()
		}
		require.Equal(t, []string{"", ""}, prepared)
		for _, e := range traced.list() {
			require.Empty(t, e.Tenant)
		}

		l, err := p.Acquire(fairshare.WithTenant(background, "x"), "")
		require.NoError(t, err)
		require.Equal(t, "x", l.Tenant())
		require.Equal(t, []string{"", "", "x"}, prepared)
		l.Release()
		member.Leave()
		l, err = member.Acquire(fairshare.WithTenant(background, "y"))
		require.NoError(t, err)
		require.Empty(t, l.Tenant(), "nor after it has left")
		l.Release()
	})
}

// The tenant of an Acquire is settled before the first hook sees its context.
func TestTheContextOfATraceDoesNotNameTheTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(1)
		cfg.Trace.AcquireStart = func(ctx context.Context, _ pool.Event) context.Context {
			return fairshare.WithTenant(ctx, "traced")
		}
		p := newPool(t, &factory{}, cfg)
		l, err := p.Acquire(background, "")
		require.NoError(t, err)
		require.Empty(t, l.Tenant())
		l.Release()
	})
}
