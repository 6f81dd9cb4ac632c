package pgxfair_test

import (
	"context"
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestEveryMethodOfAClosedPoolSaysThatItIsClosed(t *testing.T) {
	db := open(t, database(t))
	require.NoError(t, db.Ping(t.Context()))
	db.Close()
	db.Close()
	ctx := t.Context()
	batch := &pgx.Batch{}
	batch.Queue("select 1")
	_, exec := db.Exec(ctx, "select 1")
	rows, query := db.Query(ctx, "select 1")
	_, begin := db.Begin(ctx)
	_, acquire := db.Tenant("a").Acquire(ctx)
	_, copied := db.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"n"}, pgx.CopyFromRows(nil))
	results := db.SendBatch(ctx, batch)
	_, sent := results.Exec()
	for name, err := range map[string]error{
		"Exec": exec, "Query": query, "Rows.Err": rows.Err(), "Begin": begin, "Acquire": acquire, "CopyFrom": copied,
		"Batch": sent, "Batch.Close": results.Close(),
		"Row":         db.QueryRow(ctx, "select 1").Scan(new(int)),
		"Ping":        db.Ping(ctx),
		"AcquireFunc": db.AcquireFunc(ctx, func(*pgxfair.Conn) error { return nil }),
	} {
		require.ErrorIs(t, err, pool.ErrClosed, name)
	}
	require.False(t, rows.Next())
	rows.Close()
	db.Reset()
	db.Suspend()
	db.Resume()
	s := db.Stat()
	require.EqualValues(t, 0, s.TotalConns())
	require.EqualValues(t, 0, s.AcquiredConns())
	require.EqualValues(t, 1, s.NewConnsCount())
	require.EqualValues(t, 4, s.MaxConns())
}

func TestATransactionOutlivesTheCloseOfItsPool(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns, c.TenantSetting = 1, "app.tenant" })
	ctx := fairshare.WithTenant(t.Context(), "a")
	tx, err := db.Begin(ctx)
	require.NoError(t, err)
	rows, err := tx.Query(ctx, "select generate_series(1, 10)")
	require.NoError(t, err)
	require.True(t, rows.Next())
	waiting := make(chan error)
	go func() { waiting <- db.Tenant("b").Ping(t.Context()) }()
	eventually(t, func() bool { return db.Stats().Waiting == 1 }, "b does not wait")
	gone, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, db.Shutdown(gone), context.Canceled)
	require.ErrorIs(t, <-waiting, pool.ErrClosed)
	n, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	require.Len(t, n, 9)
	require.Equal(t, "a", tenantOf(t, ctx, tx))
	require.NoError(t, tx.Commit(ctx))
	eventually(t, func() bool { return db.Stat().TotalConns() == 0 }, "a connection is left")
}

func TestWhoHasGivenUpBeforeNeitherGetsNorHarmsAConnection(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns, c.TenantSetting = 1, "app.tenant" })
	before := backend(t, db)
	gone, cancel := context.WithCancel(fairshare.WithTenant(t.Context(), "a"))
	cancel()
	for range 20 {
		require.ErrorIs(t, db.Ping(gone), context.Canceled)
		_, err := db.Begin(gone)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, db.QueryRow(gone, "select 1").Scan(new(int)), context.Canceled)
	}
	require.Equal(t, before, backend(t, db))
}

// What is left of an ended use of a connection does nothing to the next one.
func TestEndingAUseAgainDoesNotEndTheNextOne(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	ctx := t.Context()
	rows, err := db.Query(ctx, "select generate_series(1, 3)")
	require.NoError(t, err)
	rows.Close()
	row := db.QueryRow(ctx, "select 1")
	require.NoError(t, row.Scan(new(int)))
	tx, err := db.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(ctx))
	c, err := db.Acquire(ctx)
	require.NoError(t, err)
	c.Release()
	batch := &pgx.Batch{}
	batch.Queue("select 1")
	results := db.SendBatch(ctx, batch)
	require.NoError(t, results.Close())

	next, err := db.Tenant("next").Begin(ctx)
	require.NoError(t, err)
	rows.Close()
	require.False(t, rows.Next())
	require.Error(t, rows.Scan(new(int)))
	require.Error(t, row.Scan(new(int)))
	require.ErrorIs(t, tx.Rollback(ctx), pgx.ErrTxClosed)
	require.ErrorIs(t, tx.Commit(ctx), pgx.ErrTxClosed)
	_, err = tx.Exec(ctx, "select 1")
	require.ErrorIs(t, err, pgx.ErrTxClosed)
	_, err = tx.Query(ctx, "select 1")
	require.ErrorIs(t, err, pgx.ErrTxClosed)
	results.Close()
	c.Release()
	require.Panics(t, func() { c.Exec(ctx, "select 1") })
	require.Panics(t, func() { c.Hijack() })
	require.EqualValues(t, 1, db.Stat().AcquiredConns())
	_, err = next.Exec(ctx, "select 1")
	require.NoError(t, err)
	require.NoError(t, next.Commit(ctx))
}
