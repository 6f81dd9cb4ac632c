package pgxfair_test

import (
	"context"
	"errors"
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// dbtx is what sqlc generates for pgx/v5, with all options.
type dbtx interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
	Query(context.Context, string, ...any) (pgx.Rows, error)
	QueryRow(context.Context, string, ...any) pgx.Row
	CopyFrom(ctx context.Context, tableName pgx.Identifier, columnNames []string, rowSrc pgx.CopyFromSource) (int64, error)
	SendBatch(context.Context, *pgx.Batch) pgx.BatchResults
}

// beginner is what pgx.BeginFunc wants.
type beginner interface {
	Begin(context.Context) (pgx.Tx, error)
	BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error)
}

var (
	_ dbtx     = (*pgxfair.Pool)(nil)
	_ dbtx     = (*pgxfair.Tenant)(nil)
	_ dbtx     = (*pgxfair.Conn)(nil)
	_ dbtx     = (*pgxfair.Tx)(nil)
	_ pgx.Tx   = (*pgxfair.Tx)(nil)
	_ beginner = (*pgxfair.Pool)(nil)
	_ beginner = (*pgxfair.Tenant)(nil)
	_ beginner = (*pgxfair.Conn)(nil)
)

// everyone calls test with each kind of thing that runs statements, on a pool of
// one connection that is like any other, or names the tenant in each transaction.
func everyone(t *testing.T, test func(t *testing.T, db *pgxfair.Pool, q dbtx)) {
	dsn := database(t)
	for name, bind := range map[string]func(*pgxfair.Config){
		"": func(*pgxfair.Config) {},
		"/BindTransaction": func(c *pgxfair.Config) {
			c.TenantSetting, c.TenantBinding = "app.tenant", pgxfair.BindTransaction
		},
		"/BindTransaction, simple": func(c *pgxfair.Config) {
			c.TenantSetting, c.TenantBinding = "app.tenant", pgxfair.BindTransaction
			c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		},
	} {
		one := func(c *pgxfair.Config) { c.MaxConns = 1; bind(c) }
		t.Run("Pool"+name, func(t *testing.T) {
			db := open(t, dsn, one)
			test(t, db, db)
			require.EqualValues(t, 0, db.Stat().AcquiredConns())
		})
		t.Run("Tenant"+name, func(t *testing.T) {
			db := open(t, dsn, one)
			test(t, db, db.Tenant("acme"))
			require.EqualValues(t, 0, db.Stat().AcquiredConns())
		})
		t.Run("Conn"+name, func(t *testing.T) {
			db := open(t, dsn, one)
			c, err := db.Acquire(t.Context())
			require.NoError(t, err)
			defer c.Release()
			test(t, db, c)
			require.EqualValues(t, 1, db.Stat().AcquiredConns())
		})
		t.Run("Tx"+name, func(t *testing.T) {
			db := open(t, dsn, one)
			tx, err := db.Begin(t.Context())
			require.NoError(t, err)
			defer tx.Rollback(t.Context())
			test(t, db, tx)
			require.EqualValues(t, 1, db.Stat().AcquiredConns())
		})
	}
}

func TestExecReturnsTheTagOrTheError(t *testing.T) {
	everyone(t, func(t *testing.T, _ *pgxfair.Pool, q dbtx) {
		tag, err := q.Exec(t.Context(), "select $1::int", 1)
		require.NoError(t, err)
		require.Equal(t, "SELECT 1", tag.String())
		_, err = q.Exec(t.Context(), "selekt")
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg)
		require.Equal(t, "42601", pg.Code)
	})
}

func TestQueryReturnsAllRows(t *testing.T) {
	everyone(t, func(t *testing.T, _ *pgxfair.Pool, q dbtx) {
		r, err := q.Query(t.Context(), "select n, n::text from generate_series(1, $1) n", 10)
		require.NoError(t, err)
		require.Len(t, r.FieldDescriptions(), 2)
		require.NotNil(t, r.Conn())
		require.NotNil(t, r.TypeMap())
		sum := 0
		for r.Next() {
			var n int
			var text string
			require.NoError(t, r.Scan(&n, &text))
			require.Len(t, r.RawValues(), 2)
			values, err := r.Values()
			require.NoError(t, err)
			require.Equal(t, []any{int32(n), text}, values)
			sum += n
		}
		require.NoError(t, r.Err())
		require.Equal(t, 55, sum)
		require.Equal(t, "SELECT 10", r.CommandTag().String())
		r.Close() // once more

		names, err := q.Query(t.Context(), "select 'a' as name union all select 'b'")
		require.NoError(t, err)
		got, err := pgx.CollectRows(names, pgx.RowToStructByName[struct{ Name string }])
		require.NoError(t, err)
		require.Len(t, got, 2, "pgx's own helpers work with the rows")
	})
}

func TestAQueryThatFailsReturnsRowsWithTheError(t *testing.T) {
	dsn := database(t)
	db := open(t, dsn, func(c *pgxfair.Config) { c.MaxConns = 1 })
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{t.Context(), gone} {
		r, err := db.Query(ctx, "selekt")
		require.Error(t, err)
		require.NotNil(t, r)
		require.Equal(t, err, r.Err())
		require.False(t, r.Next())
		require.Equal(t, err, r.Scan())
		_, verr := r.Values()
		require.Equal(t, err, verr)
		require.Nil(t, r.RawValues())
		require.Nil(t, r.FieldDescriptions())
		require.Nil(t, r.Conn())
		require.Nil(t, r.TypeMap())
		require.Zero(t, r.CommandTag())
		r.Close()
		require.Error(t, db.QueryRow(ctx, "selekt").Scan())
	}
	require.EqualValues(t, 0, db.Stat().AcquiredConns())
	require.NoError(t, db.Ping(t.Context()))
}

func TestRowsHoldTheConnectionUntilTheyEnd(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	ends := map[string]func(pgx.Rows){
		"closed": func(r pgx.Rows) { r.Close() },
		"read": func(r pgx.Rows) {
			for r.Next() {
			}
		},
		"a value that cannot be scanned": func(r pgx.Rows) {
			var n chan int
			require.True(t, r.Next())
			require.Error(t, r.Scan(&n))
		},
		"an error of the server": func(r pgx.Rows) {
			for r.Next() {
			}
			require.ErrorContains(t, r.Err(), "division by zero")
		},
	}
	for name, end := range ends {
		sql := "select n from generate_series(1, 1000) n"
		if name == "an error of the server" {
			sql = "select 1/(500-n) from generate_series(1, 1000) n"
		}
		r, err := db.Query(t.Context(), sql)
		require.NoError(t, err)
		require.EqualValues(t, 1, db.Stat().AcquiredConns(), name)
		end(r)
		require.EqualValues(t, 0, db.Stat().AcquiredConns(), name)
		r.Close()
		require.NoError(t, db.Ping(t.Context()))
	}
}

func TestARowHoldsTheConnectionUntilItIsScanned(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	require.Equal(t, backend(t, db), backend(t, db))
	r := db.QueryRow(t.Context(), "select 'x' || $1", "y")
	require.EqualValues(t, 1, db.Stat().AcquiredConns())
	var text string
	require.NoError(t, r.Scan(&text))
	require.Equal(t, "xy", text)
	require.EqualValues(t, 0, db.Stat().AcquiredConns())

	require.ErrorIs(t, db.QueryRow(t.Context(), "select 1 where false").Scan(nil), pgx.ErrNoRows)
	require.EqualValues(t, 0, db.Stat().AcquiredConns())

	require.Panics(t, func() { db.QueryRow(t.Context(), "select 1").Scan(scanner(func() { panic("scan") })) })
	idle(t, db)
	require.NoError(t, db.Ping(t.Context()))
}

// A scanner runs code of the user in a Scan.
type scanner func()

func (s scanner) Scan(any) error { s(); return nil }

func TestCopyFromCopiesAllRows(t *testing.T) {
	everyone(t, func(t *testing.T, _ *pgxfair.Pool, q dbtx) {
		_, err := q.Exec(t.Context(), "create table if not exists copied (n int, text text)")
		require.NoError(t, err)
		_, err = q.Exec(t.Context(), "truncate copied")
		require.NoError(t, err)
		want := [][]any{{int32(1), "a"}, {int32(2), nil}}
		n, err := q.CopyFrom(t.Context(), pgx.Identifier{"copied"}, []string{"n", "text"}, pgx.CopyFromRows(want))
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		r, err := q.Query(t.Context(), "select * from copied order by n")
		require.NoError(t, err)
		got, err := pgx.CollectRows(r, func(r pgx.CollectableRow) ([]any, error) { return r.Values() })
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestABatchHoldsTheConnectionUntilItIsClosed(t *testing.T) {
	everyone(t, func(t *testing.T, db *pgxfair.Pool, q dbtx) {
		b := &pgx.Batch{}
		b.Queue("select 1")
		b.Queue("select 2")
		b.Queue("select 3")
		results := q.SendBatch(t.Context(), b)
		require.Nil(t, results.Tx())
		require.EqualValues(t, 1, db.Stat().AcquiredConns())
		var n int
		require.NoError(t, results.QueryRow().Scan(&n))
		require.Equal(t, 1, n)
		tag, err := results.Exec()
		require.NoError(t, err)
		require.Equal(t, "SELECT 1", tag.String())
		r, err := results.Query()
		require.NoError(t, err)
		require.True(t, r.Next())
		r.Close()
		require.NoError(t, results.Close())
		require.NoError(t, results.Close(), "once more")
	})
}

func TestABatchCannotReleaseTheConnectionOfAnotherOne(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	b := func() *pgx.Batch { b := &pgx.Batch{}; b.Queue("select 1"); return b }
	first := db.SendBatch(t.Context(), b())
	require.NoError(t, first.Close())
	second := db.SendBatch(t.Context(), b())
	first.Close()
	require.EqualValues(t, 1, db.Stat().AcquiredConns(), "the connection is that of the second batch")
	require.NoError(t, second.Close())
}

func TestABatchThatBeginsATransactionHoldsTheConnectionUntilItsEnd(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	batch := func(sql string) *pgx.Batch {
		b := &pgx.Batch{}
		b.BeginTx(pgx.TxOptions{})
		b.Queue(sql)
		return b
	}
	results := db.SendBatch(t.Context(), batch("select 1"))
	require.NoError(t, results.Close())
	tx := results.Tx()
	require.NotNil(t, tx)
	require.EqualValues(t, 1, db.Stat().AcquiredConns())
	_, err := tx.Exec(t.Context(), "select 2")
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	require.EqualValues(t, 0, db.Stat().AcquiredConns())
	require.ErrorIs(t, tx.Rollback(t.Context()), pgx.ErrTxClosed)
	results.Close()

	results = db.SendBatch(t.Context(), batch("select 1/0"))
	require.Error(t, results.Close())
	require.EqualValues(t, 1, db.Stat().AcquiredConns())
	require.NoError(t, results.Tx().Rollback(t.Context()))
	require.EqualValues(t, 0, db.Stat().AcquiredConns())

	for name, bad := range map[string]func(b *pgx.Batch){
		"never sent":  func(b *pgx.Batch) { b.BeginTx(pgx.TxOptions{}); b.Queue("selekt") },
		"never begun": func(b *pgx.Batch) { b.BeginTx(pgx.TxOptions{BeginQuery: "begin nonsense"}); b.Queue("select 1") },
	} {
		b := &pgx.Batch{}
		bad(b)
		results = db.SendBatch(t.Context(), b)
		require.Error(t, results.Close(), name)
		require.EqualValues(t, 0, db.Stat().AcquiredConns(), "%s: there is no transaction to end", name)
		require.ErrorIs(t, results.Tx().Rollback(t.Context()), pgx.ErrTxClosed, name)
	}

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	results = db.SendBatch(gone, batch("select 1"))
	require.ErrorIs(t, results.Close(), context.Canceled)
	require.ErrorIs(t, results.Tx().Rollback(t.Context()), pgx.ErrTxClosed)
	require.NoError(t, db.Ping(t.Context()))
}

func TestABatchThatLeavesATransactionOpenOnTheSlyCostsTheConnection(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	before := backend(t, db)
	b := &pgx.Batch{}
	b.Queue("begin")
	require.NoError(t, db.SendBatch(t.Context(), b).Close())
	require.NotEqual(t, before, backend(t, db))
}

func TestManyClientsShareTheConnections(t *testing.T) {
	db := open(t, database(t))
	const clients, each = 10, 100
	failed := make(chan error, clients)
	for range clients {
		go func() {
			for range each {
				r, err := db.Query(t.Context(), "select n from generate_series(1, 10) n")
				if err != nil {
					failed <- err
					return
				}
				sum := 0
				for r.Next() {
					var n int
					if err := r.Scan(&n); err != nil {
						failed <- err
						return
					}
					sum += n
				}
				if r.Err() != nil || sum != 55 {
					failed <- errors.Join(r.Err(), errors.New("wrong sum"))
					return
				}
			}
			failed <- nil
		}()
	}
	for range clients {
		require.NoError(t, <-failed)
	}
	require.LessOrEqual(t, db.Stat().TotalConns(), int32(4))
	require.EqualValues(t, clients*each, db.Stat().AcquireCount())
}
