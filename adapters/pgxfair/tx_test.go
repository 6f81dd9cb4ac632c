package pgxfair_test

import (
	"errors"
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestATransactionHoldsTheConnectionUntilItsEnd(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	_, err := db.Exec(t.Context(), "create table kept (n int)")
	require.NoError(t, err)
	ctx := t.Context()

	tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
	require.NoError(t, err)
	var level string
	require.NoError(t, tx.QueryRow(ctx, "show transaction_isolation").Scan(&level))
	require.Equal(t, "serializable", level)
	require.NotNil(t, tx.Conn())
	_, err = tx.Prepare(ctx, "insert", "insert into kept values ($1)")
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "insert", 1)
	require.NoError(t, err)
	lobs := tx.LargeObjects()
	_, err = lobs.Create(ctx, 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, db.Stat().AcquiredConns())
	require.NoError(t, tx.Commit(ctx))
	require.EqualValues(t, 0, db.Stat().AcquiredConns())
	require.ErrorIs(t, tx.Commit(ctx), pgx.ErrTxClosed)

	tx, err = db.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "insert into kept values (2)")
	require.NoError(t, err)
	require.NoError(t, tx.Rollback(ctx))
	require.ErrorIs(t, tx.Rollback(ctx), pgx.ErrTxClosed)

	// One in a failed state is rolled back by its commit, and the connection stays.
	before := backend(t, db)
	tx, err = db.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "selekt")
	require.Error(t, err)
	require.ErrorIs(t, tx.Commit(ctx), pgx.ErrTxCommitRollback)
	require.Equal(t, before, backend(t, db))

	var n int
	require.NoError(t, db.QueryRow(ctx, "select sum(n) from kept").Scan(&n))
	require.Equal(t, 1, n)
}

func TestNestedTransactionsAreSavepointsOfOneConnection(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	_, err := db.Exec(t.Context(), "create table kept (n int)")
	require.NoError(t, err)
	failed := errors.New("failed")
	err = pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "insert into kept values (1)")
		require.NoError(t, err)
		err = pgx.BeginFunc(t.Context(), tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "insert into kept values (2)")
			require.NoError(t, err)
			return failed
		})
		require.ErrorIs(t, err, failed)
		require.EqualValues(t, 1, db.Stat().AcquiredConns())
		return pgx.BeginFunc(t.Context(), tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "insert into kept values (3)")
			return err
		})
	})
	require.NoError(t, err)
	var sum int
	require.NoError(t, db.QueryRow(t.Context(), "select sum(n) from kept").Scan(&sum))
	require.Equal(t, 4, sum)

	err = pgx.BeginTxFunc(t.Context(), db, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "insert into kept values (4)")
		return err
	})
	require.ErrorContains(t, err, "read-only transaction")
	require.EqualValues(t, 0, db.Stat().AcquiredConns())
}

func TestATransactionThatCannotBeginReturnsTheConnection(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	_, err := db.BeginTx(t.Context(), pgx.TxOptions{BeginQuery: "begin nonsense"})
	require.Error(t, err)
	require.EqualValues(t, 0, db.Stat().AcquiredConns())
	before := backend(t, db)

	_, err = db.BeginTx(t.Context(), pgx.TxOptions{BeginQuery: "select pg_terminate_backend(pg_backend_pid())"})
	require.Error(t, err)
	require.EqualValues(t, 0, db.Stat().AcquiredConns())
	require.NotEqual(t, before, backend(t, db))
}
