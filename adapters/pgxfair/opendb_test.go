package pgxfair_test

import (
	"context"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

func TestADatabaseOfAPoolUsesItsConnectionsForTheTenantsOfItsCalls(t *testing.T) {
	p := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns, c.TenantSetting = 2, "app.tenant" })
	db := pgxfair.OpenDBFromPool(p)
	db.SetMaxIdleConns(5)
	for _, tenant := range []string{"a", "b", "a"} {
		ctx := fairshare.WithTenant(t.Context(), tenant)
		var is string
		require.NoError(t, db.QueryRowContext(ctx, "select current_setting('app.tenant') where $1 = 1", 1).Scan(&is))
		require.Equal(t, tenant, is)
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		require.NoError(t, tx.QueryRow("select current_setting('app.tenant')").Scan(&is))
		require.Equal(t, tenant, is)
		require.EqualValues(t, 1, p.Stat().AcquiredConns())
		require.NoError(t, tx.Rollback())
		stmt, err := db.PrepareContext(ctx, "select current_setting('app.tenant')")
		require.NoError(t, err)
		require.NoError(t, stmt.QueryRowContext(ctx).Scan(&is))
		require.Equal(t, tenant, is)
		require.NoError(t, stmt.Close())
		c, err := db.Conn(ctx)
		require.NoError(t, err)
		require.NoError(t, c.Raw(func(own any) error {
			return own.(interface{ Conn() *pgx.Conn }).Conn().Ping(ctx)
		}))
		require.NoError(t, c.Close())
		require.EqualValues(t, 0, p.Stat().AcquiredConns())
	}
	// A transaction that its context ends is rolled back and its connection returned.
	ctx, cancel := context.WithCancel(t.Context())
	_, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	cancel()
	eventually(t, func() bool { return p.Stat().AcquiredConns() == 0 }, "it is kept")
	fill(t, p, 2)

	db.SetMaxOpenConns(1)
	require.ErrorContains(t, db.Ping(), "SetMaxOpenConns")
	db.SetMaxOpenConns(0)
	require.NoError(t, db.Ping())
	require.NoError(t, db.Close())
	require.NoError(t, p.Ping(t.Context()), "the pool is not closed")

	bound := open(t, database(t), func(c *pgxfair.Config) {
		c.TenantSetting, c.TenantBinding = "app.tenant", pgxfair.BindTransaction
	})
	other := pgxfair.OpenDBFromPool(bound)
	require.ErrorContains(t, other.Ping(), "sqlfair.PostgresTenantBound")
	require.NoError(t, other.Close())
}

func TestAllIdleConnectionsAreAcquiredAtOnce(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 4 })
	require.Empty(t, db.AcquireAllIdle(t.Context()))
	fill(t, db, 3)
	idle(t, db)
	held, err := db.Acquire(t.Context())
	require.NoError(t, err)
	conns := db.AcquireAllIdle(t.Context())
	require.Len(t, conns, 2)
	require.EqualValues(t, 3, db.Stat().NewConnsCount(), "none was made for it")
	for _, c := range append(conns, held) {
		require.NoError(t, c.Ping(t.Context()))
		c.Release()
	}
	for _, c := range db.Tenant("a").AcquireAllIdle(t.Context()) {
		require.Equal(t, "a", c.Tenant())
		c.Release()
	}
}

func TestThoseWhoFoundNoConnectionIdleAreCounted(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	require.NoError(t, db.Ping(t.Context()))
	before := db.Stat()
	require.NoError(t, db.Ping(t.Context()))
	require.Equal(t, before.EmptyAcquireCount(), db.Stat().EmptyAcquireCount())
	held, err := db.Acquire(t.Context())
	require.NoError(t, err)
	done := make(chan error)
	go func() { done <- db.Ping(t.Context()) }()
	eventually(t, func() bool { return db.Stats().Waiting == 1 }, "it does not wait")
	time.Sleep(time.Millisecond)
	held.Release()
	require.NoError(t, <-done)
	require.Equal(t, before.EmptyAcquireCount()+1, db.Stat().EmptyAcquireCount())
	require.Greater(t, db.Stat().EmptyAcquireWaitTime(), before.EmptyAcquireWaitTime())
}

// A plainTracer is a tracer of pgxpool, such as otelpgx's.
type plainTracer struct{ calls []string }

func (p *plainTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (p *plainTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (p *plainTracer) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	p.calls = append(p.calls, "start")
	return context.WithValue(ctx, plainTracer{}.key(), "traced")
}

func (p *plainTracer) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	if ctx.Value(plainTracer{}.key()) == "traced" && data.Conn != nil && data.Err == nil {
		p.calls = append(p.calls, "end")
	}
}

func (p *plainTracer) TraceRelease(_ *pgxpool.Pool, data pgxpool.TraceReleaseData) {
	if data.Conn != nil {
		p.calls = append(p.calls, "release")
	}
}

type plainKey struct{}

func (plainTracer) key() any { return plainKey{} }

func TestATracerOfPgxpoolIsToldOfAcquiresAndReleases(t *testing.T) {
	tracer := &plainTracer{}
	db := open(t, database(t), func(c *pgxfair.Config) { c.ConnConfig.Tracer = tracer })
	require.NoError(t, db.Ping(t.Context()))
	require.Equal(t, []string{"start", "end", "release"}, tracer.calls)
}
