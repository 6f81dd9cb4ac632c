package sqlfair_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// look has ten clients of five tenants look at their rows in several ways, and
// returns how many they should not have seen or missed, and an error of theirs.
func look(t *testing.T, db *sql.DB, rounds int) (wrong int64, fault error) {
	t.Helper()
	var strange atomic.Int64
	var first atomic.Pointer[error]
	var all sync.WaitGroup
	for client := range 10 {
		tenant := tenantName(10 + client%5)
		ctx := as(tenant)
		all.Go(func() {
			for i := range rounds {
				var rows *sql.Rows
				var tx *sql.Tx
				var err error
				if i%2 == 0 {
					rows, err = db.QueryContext(ctx, "SELECT tenant FROM orders")
				} else if tx, err = db.BeginTx(ctx, nil); err == nil {
					rows, err = tx.QueryContext(ctx, "SELECT tenant FROM orders WHERE n > $1", 0)
				}
				if err != nil {
					first.CompareAndSwap(nil, &err)
					continue
				}
				n := 0
				for rows.Next() {
					var of string
					if err := rows.Scan(&of); err == nil && of == tenant {
						n++
					} else {
						strange.Add(1)
					}
				}
				if err := rows.Err(); err != nil {
					first.CompareAndSwap(nil, &err)
				} else if n != rowsOfEach {
					strange.Add(1)
				}
				rows.Close()
				if tx != nil {
					tx.Commit()
				}
			}
		})
	}
	all.Wait()
	if err := first.Load(); err != nil {
		fault = *err
	}
	return strange.Load(), fault
}

func TestATenantIsNotBoundToTheSessionsOfAPooler(t *testing.T) {
	server, _ := secured(t)
	for _, mode := range []string{"transaction", "session"} {
		for _, name := range []string{"pgx", "pq"} {
			db, _ := open(t, pooled(t, server, name, mode), sqlfair.Config{MaxOpenConns: 8, Tenancy: sqlfair.PostgresTenant("app.tenant")})
			_, err := db.QueryContext(as(tenantName(10)), "SELECT tenant FROM orders")
			require.ErrorIs(t, err, sqlfair.ErrPooler, name)
			for _, word := range []string{"PgBouncer", "transaction pooling", "BindTransaction", "BindPooledSession"} {
				require.ErrorContains(t, err, word)
			}
			plain, _ := open(t, pooled(t, server, name, mode), sqlfair.Config{MaxOpenConns: 8})
			require.NoError(t, plain.Ping(), "without a tenant in the session it is as with a plain DB")
		}
	}
}

// A stranger is a driver of which nothing is known.
type stranger struct{ driver.Connector }

type strange struct {
	exec  func(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error)
	query func(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error)
	begin func(ctx context.Context, opts driver.TxOptions) (driver.Tx, error)
	close func() error
}

func (s stranger) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return strange{
		c.(driver.ExecerContext).ExecContext, c.(driver.QueryerContext).QueryContext, c.(driver.ConnBeginTx).BeginTx, c.Close,
	}, nil
}

func (s strange) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not used") }
func (s strange) Begin() (driver.Tx, error)           { return nil, errors.New("not used") }
func (s strange) Close() error                        { return s.close() }

func (s strange) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return s.begin(ctx, opts)
}

func (s strange) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return s.exec(ctx, query, args)
}

func (s strange) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return s.query(ctx, query, args)
}

func TestADriverThatDoesNotShowItsProcessIsNotTrusted(t *testing.T) {
	server, _ := secured(t)
	c := stranger{drivers["pgx"](t, server, "app")}
	db, _ := open(t, c, sqlfair.Config{MaxOpenConns: 8, Tenancy: sqlfair.PostgresTenant("app.tenant")})
	err := db.PingContext(as(tenantName(10)))
	require.ErrorContains(t, err, "sqlfair_test.strange")
	require.ErrorContains(t, err, "BindPooledSession")
	for _, how := range []sqlfair.Binding{sqlfair.BindPooledSession, sqlfair.BindTransaction} {
		db, _ := open(t, c, sqlfair.Config{MaxOpenConns: 8, Tenancy: sqlfair.PostgresTenantBound("app.tenant", how)})
		wrong, err := look(t, db, 20)
		require.NoError(t, err)
		require.Zero(t, wrong)
	}
}

func TestATenantIsBoundToItsTransactionsByAPooler(t *testing.T) {
	server, _ := secured(t)
	for _, name := range []string{"pgx", "pq"} {
		db, _ := open(t, pooled(t, server, name, "transaction"), sqlfair.Config{
			MaxOpenConns: 8, Tenancy: sqlfair.PostgresTenantBound("app.tenant", sqlfair.BindTransaction),
		})
		wrong, err := look(t, db, 100)
		require.NoError(t, err, name)
		require.Zero(t, wrong, name)
	}
}

func TestABadClaimOfSessionPoolingIsFoundOut(t *testing.T) {
	server, _ := secured(t)
	bound := sqlfair.Config{MaxOpenConns: 8, Tenancy: sqlfair.PostgresTenantBound("app.tenant", sqlfair.BindPooledSession)}
	for _, name := range []string{"pgx", "pq"} {
		db, _ := open(t, pooled(t, server, name, "transaction"), bound)
		_, err := look(t, db, 5)
		require.ErrorIs(t, err, sqlfair.ErrTransactionPooling, name)
		db, _ = open(t, pooled(t, server, name, "session"), bound)
		wrong, err := look(t, db, 50)
		require.NoError(t, err, name)
		require.Zero(t, wrong, name)
	}
}

func TestWhatIsBoundToATransactionEndsWithIt(t *testing.T) {
	server, _ := secured(t)
	for _, name := range []string{"pgx", "pq", "pgx, unaware"} {
		db, pool := open(t, drivers[name](t, server, "postgres"), sqlfair.Config{
			MaxOpenConns: 1, Tenancy: sqlfair.PostgresTenantBound("app.tenant", sqlfair.BindTransaction),
		})
		const who = "SELECT coalesce(current_setting('app.tenant', true), '')"
		for i := range 8 {
			tenant := tenantName(i)
			ctx := as(tenant)
			check := func(what string, row interface{ Scan(...any) error }) {
				t.Helper()
				var is string
				require.NoError(t, row.Scan(&is), "%s: %s", name, what)
				require.Equal(t, tenant, is, "%s: %s", name, what)
			}
			check("a query", db.QueryRowContext(ctx, who))
			check("a query with arguments", db.QueryRowContext(ctx, who+" WHERE $1 = 1", 1))
			_, err := db.ExecContext(ctx, "DROP TABLE IF EXISTS seen; CREATE TEMP TABLE seen AS "+who+" AS name, 1 AS n")
			require.NoError(t, err)
			check("several statements", db.QueryRowContext(ctx, "DELETE FROM seen RETURNING name"))
			_, err = db.ExecContext(ctx, "INSERT INTO seen VALUES (current_setting('app.tenant'), $1)", 1)
			require.NoError(t, err)
			check("with arguments", db.QueryRowContext(ctx, "DELETE FROM seen RETURNING name"))

			c, err := db.Conn(ctx)
			require.NoError(t, err)
			stmt, err := c.PrepareContext(ctx, who)
			require.NoError(t, err)
			check("a statement", stmt.QueryRowContext(ctx))
			_, err = c.ExecContext(ctx, "BEGIN")
			require.ErrorContains(t, err, "BeginTx")
			tx, err := c.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
			require.NoError(t, err)
			check("a transaction", tx.QueryRowContext(ctx, who))
			check("its statement", tx.StmtContext(ctx, stmt).QueryRowContext(ctx))
			var level string
			require.NoError(t, tx.QueryRowContext(ctx, "SHOW transaction_isolation").Scan(&level))
			require.Equal(t, "serializable", level)
			require.NoError(t, tx.Commit())
			check("after it", c.QueryRowContext(ctx, who))
			_, err = c.ExecContext(ctx, "SELECT 1 / 0")
			require.ErrorContains(t, err, "division by zero")
			check("after an error", c.QueryRowContext(ctx, who))
			require.NoError(t, c.Raw(func(own any) error {
				own = sqlfair.Unwrap(own)
				rows, err := own.(driver.QueryerContext).QueryContext(ctx, who, nil)
				if err != nil {
					return err
				}
				defer rows.Close()
				left := make([]driver.Value, 1)
				if err := rows.Next(left); err != nil {
					return err
				}
				if text := fmt.Sprintf("%s", left[0]); text != "" {
					return errors.New("the session knows " + text)
				}
				return nil
			}))
			require.NoError(t, stmt.Close())
			require.NoError(t, c.Close())
		}
		require.EqualValues(t, 1, pool.Stats().Built, name)
	}
}

func TestAnErrorAtTheEndOfATransactionIsThatOfItsStatement(t *testing.T) {
	server, admin := secured(t)
	_, err := admin.Exec("CREATE TABLE parts (id int PRIMARY KEY, whole int REFERENCES parts DEFERRABLE INITIALLY DEFERRED)")
	require.NoError(t, err)
	for _, name := range []string{"pgx", "pq"} {
		db, _ := open(t, drivers[name](t, server, "postgres"), sqlfair.Config{
			MaxOpenConns: 1, Tenancy: sqlfair.PostgresTenantBound("app.tenant", sqlfair.BindTransaction),
		})
		const insert = "INSERT INTO parts VALUES (1, 2) RETURNING id"
		_, exec := db.Exec(insert)
		row := db.QueryRow(insert).Scan(new(int))
		rows, err := db.Query(insert)
		require.NoError(t, err)
		for rows.Next() {
		}
		for what, err := range map[string]error{"Exec": exec, "QueryRow": row, "Rows": rows.Err()} {
			require.ErrorContains(t, err, "foreign key constraint", what+" of "+name)
		}
		var n int
		require.NoError(t, db.QueryRow("SELECT count(*) FROM parts").Scan(&n))
		require.Zero(t, n)
	}
}

func TestATransactionThatCannotBeEndedCostsItsConnection(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	db, pool := open(t, drivers["pq"](t, server, "postgres"), sqlfair.Config{
		MaxOpenConns: 1, Tenancy: sqlfair.PostgresTenantBound("app.tenant", sqlfair.BindTransaction),
	})
	ctx, cancel := context.WithCancel(as("a"))
	rows, err := db.QueryContext(ctx, "SELECT generate_series(1, 100000)")
	require.NoError(t, err)
	require.True(t, rows.Next())
	cancel()
	rows.Close()
	require.NoError(t, db.PingContext(as("b")))
	require.EqualValues(t, 2, pool.Stats().Built)
}
