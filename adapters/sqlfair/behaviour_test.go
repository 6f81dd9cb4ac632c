package sqlfair_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
)

// A database is a real one, with a table "things" of five rows.
type database struct {
	*sql.DB
	postgres bool
	conn     string // the type of the driver's connections
}

// sql writes a statement in the dialect of the database.
func (d database) sql(query string) string {
	if d.postgres {
		for i := 1; strings.Contains(query, "?"); i++ {
			query = strings.Replace(query, "?", fmt.Sprint("$", i), 1)
		}
	}
	return query
}

func (d database) count(t *testing.T, what string) int {
	t.Helper()
	var n int
	require.NoError(t, d.QueryRowContext(t.Context(), "SELECT count(*) FROM "+what).Scan(&n))
	return n
}

// behaviours are what database/sql and its documentation promise, and its own
// tests check, as far as it can be seen from outside.
var behaviours = []struct {
	name string
	test func(*testing.T, database)
}{
	{"QueryReadsRowsInOrder", func(t *testing.T, d database) {
		rows, err := d.QueryContext(t.Context(), d.sql("SELECT id, name FROM things WHERE id > ? ORDER BY id"), 2)
		require.NoError(t, err)
		defer rows.Close()
		columns, err := rows.Columns()
		require.NoError(t, err)
		require.Equal(t, []string{"id", "name"}, columns)
		types, err := rows.ColumnTypes()
		require.NoError(t, err)
		require.NotEmpty(t, types[1].DatabaseTypeName())
		require.NotNil(t, types[0].ScanType())
		var got []string
		for rows.Next() {
			var id int
			var name sql.RawBytes
			require.NoError(t, rows.Scan(&id, &name))
			got = append(got, fmt.Sprint(id, string(name)))
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close(), "closing twice is allowed")
		require.Equal(t, []string{"3three", "4four", "5five"}, got)
	}},
	{"QueryRowFindsOneOrNone", func(t *testing.T, d database) {
		var name string
		require.NoError(t, d.QueryRow(d.sql("SELECT name FROM things WHERE id = ?"), 1).Scan(&name))
		require.Equal(t, "one", name)
		require.ErrorIs(t, d.QueryRow("SELECT name FROM things WHERE id = 99").Scan(&name), sql.ErrNoRows)
		var null sql.NullString
		require.NoError(t, d.QueryRow("SELECT NULL").Scan(&null))
		require.False(t, null.Valid)
	}},
	{"ExecTellsWhatItDid", func(t *testing.T, d database) {
		r, err := d.ExecContext(t.Context(), d.sql("UPDATE things SET name = ? WHERE id <= ?"), "small", 2)
		require.NoError(t, err)
		n, err := r.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
	}},
	{"AnErrorCostsNobodyAConnection", func(t *testing.T, d database) {
		for range 20 {
			_, err := d.ExecContext(t.Context(), "SELEKT")
			require.Error(t, err)
			_, err = d.QueryContext(t.Context(), "SELECT * FROM nowhere")
			require.Error(t, err)
			_, err = d.PrepareContext(t.Context(), "SELEKT")
			require.Error(t, err)
		}
		require.Equal(t, 5, d.count(t, "things"))
	}},
	{"ACommittedTxIsSeenAndARolledBackOneIsNot", func(t *testing.T, d database) {
		for i, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
			tx, err := d.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			_, err = tx.Exec(d.sql("INSERT INTO things (id, name) VALUES (?, ?)"), 10+i, "new")
			require.NoError(t, err)
			var n int
			require.NoError(t, tx.QueryRow("SELECT count(*) FROM things").Scan(&n))
			require.Equal(t, 6+i, n, "it sees itself")
			require.NoError(t, end(tx))
			require.ErrorIs(t, tx.Commit(), sql.ErrTxDone)
			require.ErrorIs(t, tx.Rollback(), sql.ErrTxDone)
			_, err = tx.Exec("SELECT 1")
			require.ErrorIs(t, err, sql.ErrTxDone)
		}
		require.Equal(t, 6, d.count(t, "things"))
	}},
	{"TheEndOfItsContextRollsATxBack", func(t *testing.T, d database) {
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := d.BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = tx.Exec("DELETE FROM things")
		require.NoError(t, err)
		cancel()
		require.Error(t, tx.Commit())
		wait(t, "the connection is back", func() bool { return d.Stats().InUse == 0 })
		require.Equal(t, 5, d.count(t, "things"))
	}},
	{"ATxThatFailedCanBeRolledBack", func(t *testing.T, d database) {
		tx, err := d.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
		if !d.postgres && err != nil {
			tx, err = d.BeginTx(t.Context(), nil) // SQLite has no levels
		}
		require.NoError(t, err)
		_, err = tx.Exec("INSERT INTO things (id, name) VALUES (1, 'again')")
		require.Error(t, err)
		require.NoError(t, tx.Rollback())
		require.Equal(t, 5, d.count(t, "things"))
	}},
	{"AnOpenTxKeepsItsConnectionAndRowsDoToo", func(t *testing.T, d database) {
		tx, err := d.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, 1, d.Stats().InUse)
		require.NoError(t, tx.Rollback())
		rows, err := d.QueryContext(t.Context(), "SELECT id FROM things")
		require.NoError(t, err)
		require.True(t, rows.Next())
		require.Equal(t, 1, d.Stats().InUse)
		require.NoError(t, rows.Close())
		require.Zero(t, d.Stats().InUse)
	}},
	{"AStatementServesManyAtOnce", func(t *testing.T, d database) {
		stmt, err := d.PrepareContext(t.Context(), d.sql("SELECT name FROM things WHERE id = ?"))
		require.NoError(t, err)
		var callers sync.WaitGroup
		for i := range 16 {
			callers.Go(func() {
				for range 10 {
					var name string
					if err := stmt.QueryRowContext(as(fmt.Sprint(i%4)), 1+i%5).Scan(&name); err != nil {
						t.Error(err)
					}
					if want := []string{"one", "two", "three", "four", "five"}[i%5]; name != want {
						t.Errorf("got %s, want %s", name, want)
					}
				}
			})
		}
		callers.Wait()
		require.NoError(t, stmt.Close())
		_, err = stmt.Query(1)
		require.ErrorContains(t, err, "statement is closed")
	}},
	{"AStatementOfTheDBWorksInATx", func(t *testing.T, d database) {
		stmt, err := d.PrepareContext(t.Context(), d.sql("INSERT INTO things (id, name) VALUES (?, ?)"))
		require.NoError(t, err)
		tx, err := d.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.StmtContext(t.Context(), stmt).Exec(20, "twenty")
		require.NoError(t, err)
		own, err := tx.Prepare("SELECT count(*) FROM things")
		require.NoError(t, err)
		var n int
		require.NoError(t, own.QueryRow().Scan(&n))
		require.Equal(t, 6, n)
		require.NoError(t, tx.Rollback())
		_, err = own.Query()
		require.Error(t, err, "it ends with its transaction")
		require.NoError(t, stmt.Close())
		require.Equal(t, 5, d.count(t, "things"))
	}},
	{"AConnIsOneSession", func(t *testing.T, d database) {
		c, err := d.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.PingContext(t.Context()))
		_, err = c.ExecContext(t.Context(), "CREATE TEMPORARY TABLE scratch (n int)")
		require.NoError(t, err)
		for i := range 3 {
			_, err = c.ExecContext(t.Context(), d.sql("INSERT INTO scratch VALUES (?)"), i)
			require.NoError(t, err)
		}
		tx, err := c.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		var n int
		require.NoError(t, tx.QueryRow("SELECT count(*) FROM scratch").Scan(&n))
		require.Equal(t, 3, n)
		require.NoError(t, tx.Commit())
		_, err = c.ExecContext(t.Context(), "DROP TABLE scratch")
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.ErrorIs(t, c.Close(), sql.ErrConnDone)
		require.ErrorIs(t, c.PingContext(t.Context()), sql.ErrConnDone)
	}},
	{"RawLeadsToTheDriver", func(t *testing.T, d database) {
		c, err := d.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Raw(func(driverConn any) error {
			require.Equal(t, d.conn, fmt.Sprintf("%T", sqlfair.Unwrap(driverConn)))
			return nil
		}))
		require.ErrorIs(t, c.Raw(func(any) error { return driver.ErrBadConn }), driver.ErrBadConn)
		require.ErrorIs(t, c.PingContext(t.Context()), sql.ErrConnDone, "it was thrown away")
		require.Panics(t, func() {
			c, err := d.Conn(t.Context())
			require.NoError(t, err)
			c.Raw(func(any) error { panic("raw") })
		})
		require.Equal(t, 5, d.count(t, "things"))
	}},
	{"TheEndOfItsContextClosesRows", func(t *testing.T, d database) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rows, err := d.QueryContext(ctx, "SELECT a.id FROM things a, things b, things c, things d, things e, things f")
		require.NoError(t, err)
		require.True(t, rows.Next())
		cancel()
		wait(t, "the connection is back", func() bool { return d.Stats().InUse == 0 })
		require.False(t, rows.Next())
		require.ErrorIs(t, rows.Err(), context.Canceled)
		require.Equal(t, 5, d.count(t, "things"))
	}},
	{"TheEndOfItsContextEndsAQuery", func(t *testing.T, d database) {
		forever := "SELECT pg_sleep(100)"
		if !d.postgres {
			forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		var n sql.NullString
		require.Error(t, d.QueryRowContext(ctx, forever).Scan(&n))
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		_, err := d.ExecContext(ctx, "DELETE FROM things")
		require.ErrorIs(t, err, context.Canceled, "it fails at once if its context is done")
		require.Equal(t, 5, d.count(t, "things"))
	}},
	{"WhoeverCannotHaveAConnectionWaitsForItsContext", func(t *testing.T, d database) {
		var held []*sql.Conn
		for range connectionsOfAll {
			c, err := d.Conn(t.Context())
			require.NoError(t, err)
			held = append(held, c)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := d.ExecContext(ctx, "DELETE FROM things")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		served := make(chan error)
		go func() { served <- d.PingContext(context.Background()) }()
		for _, c := range held {
			require.NoError(t, c.Close())
		}
		require.NoError(t, <-served)
		require.Equal(t, 5, d.count(t, "things"))
	}},
	{"NothingWorksOnceItIsClosed", func(t *testing.T, d database) {
		c, err := d.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, d.Close())
		require.NoError(t, d.Close(), "closing twice is allowed")
		require.ErrorContains(t, d.PingContext(t.Context()), "sql: database is closed")
		_, err = d.BeginTx(t.Context(), nil)
		require.ErrorContains(t, err, "sql: database is closed")
		require.NoError(t, c.PingContext(t.Context()), "a connection in use lasts until it is closed")
		require.NoError(t, c.Close())
		wait(t, "it is", func() bool { return d.Stats().OpenConnections == 0 })
	}},
}

const connectionsOfAll = 4

// overSQLite returns a connector to a new file with the table of things.
func overSQLite(t testing.TB) driver.Connector {
	t.Helper()
	c, err := sqlite.NewConnector("file:" + filepath.Join(t.TempDir(), "test.db") +
		"?_pragma=busy_timeout(60000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)")
	require.NoError(t, err)
	createThings(t, c)
	return c
}

// overPostgres returns a connector to a database of the server.
func overPostgres(t testing.TB, server *throwaway.Postgres, role, name string) driver.Connector {
	t.Helper()
	cfg, err := pgx.ParseConfig(server.URLFor(role, name))
	require.NoError(t, err)
	return stdlib.GetConnector(*cfg)
}

func createThings(t testing.TB, c driver.Connector) {
	t.Helper()
	db := sql.OpenDB(c)
	defer db.Close()
	for _, statement := range []string{
		"DROP TABLE IF EXISTS things",
		"CREATE TABLE things (id int PRIMARY KEY, name text)",
		"INSERT INTO things VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four'), (5, 'five')",
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

// TestABehaviourIsThatOfAPlainDB runs the same tests on a plain DB, so that they
// are known to hold there, and on fair ones.
func TestABehaviourIsThatOfAPlainDB(t *testing.T) {
	kinds := map[string]func(testing.TB, driver.Connector) *sql.DB{
		"plain": func(t testing.TB, c driver.Connector) *sql.DB {
			db := sql.OpenDB(c)
			t.Cleanup(func() { db.Close() })
			db.SetMaxOpenConns(connectionsOfAll)
			return db
		},
		"fair": func(t testing.TB, c driver.Connector) *sql.DB {
			db, _ := open(t, c, sqlfair.Config{MaxOpenConns: connectionsOfAll})
			return db
		},
		"fair, with all options": func(t testing.TB, c driver.Connector) *sql.DB {
			nothing := errors.New("the hook got no connection")
			ping := func(ctx context.Context, c *sql.Conn) error {
				if c == nil {
					return nothing
				}
				return c.PingContext(ctx)
			}
			db, _ := open(t, c, sqlfair.Config{
				MaxOpenConns:       connectionsOfAll,
				PreparedStatements: 5,
				KeepAlive:          10 * time.Millisecond,
				LeakAfter:          time.Minute,
				Tenancy: sqlfair.Tenancy{
					Bind:  func(ctx context.Context, c *sql.Conn, tenant string) error { return ping(ctx, c) },
					Reset: ping,
				},
			})
			return db
		},
	}
	const bound = "fair, bound by transaction"
	kinds[bound] = func(t testing.TB, c driver.Connector) *sql.DB {
		db, _ := open(t, c, sqlfair.Config{
			MaxOpenConns: connectionsOfAll,
			Tenancy:      sqlfair.PostgresTenantBound("app.tenant", sqlfair.BindTransaction),
		})
		return db
	}
	run := func(t *testing.T, d database, connector func(testing.TB) driver.Connector) {
		for kind, openAs := range kinds {
			if kind == bound && !d.postgres {
				continue
			}
			t.Run(kind, func(t *testing.T) {
				for _, b := range behaviours {
					t.Run(b.name, func(t *testing.T) {
						d.DB = openAs(t, connector(t))
						b.test(t, d)
					})
				}
			})
		}
	}
	t.Run("SQLite", func(t *testing.T) { run(t, database{conn: "*sqlite.conn"}, overSQLite) })
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	for name, conn := range map[string]string{"pgx": "*stdlib.Conn", "pq": "*pq.conn"} {
		t.Run("PostgreSQL by "+name, func(t *testing.T) {
			run(t, database{postgres: true, conn: conn}, func(t testing.TB) driver.Connector {
				c := drivers[name](t, server, "postgres")
				createThings(t, c)
				return c
			})
		})
	}
}
