package pgxfair_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// ask has ten clients of five tenants look at their rows, and returns how many
// they should not have seen, how many of their own were missing, and an error of
// theirs if there was one.
func ask(t *testing.T, db *pgxfair.Pool, rounds int) (foreign, missing int64, fault error) {
	t.Helper()
	var strange, absent atomic.Int64
	var first atomic.Pointer[error]
	var all sync.WaitGroup
	for client := range 10 {
		tenant := nameOf(client % 5)
		all.Go(func() {
			for range rounds {
				r, err := db.Tenant(tenant).Query(t.Context(), "select tenant from notes")
				if err != nil {
					first.CompareAndSwap(nil, &err)
					continue
				}
				rows, err := pgx.CollectRows(r, pgx.RowTo[string])
				if err != nil {
					first.CompareAndSwap(nil, &err)
					continue
				}
				for _, of := range rows {
					if of != tenant {
						strange.Add(1)
					}
				}
				if len(rows) != 3 {
					absent.Add(1)
				}
			}
		})
	}
	all.Wait()
	if err := first.Load(); err != nil {
		fault = *err
	}
	return strange.Load(), absent.Load(), fault
}

func TestATenantIsNotBoundToTheSessionsOfAPooler(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	prepareSiege(t, server)
	for _, mode := range []string{"transaction", "session", "statement"} {
		dsn := bouncer(t, server, mode).URLFor("app", "postgres") + "&default_query_exec_mode=exec"
		for name, change := range map[string]func(*pgxfair.Config){
			"TenantSetting": func(c *pgxfair.Config) { c.TenantSetting = "app.tenant" },
			"ResetSession":  func(c *pgxfair.Config) { c.ResetSession = pgxfair.ResetAlways },
		} {
			db := open(t, dsn, change)
			_, err := db.Exec(t.Context(), "select 1")
			require.ErrorIs(t, err, pgxfair.ErrPooler, mode)
			for _, word := range []string{name, "PgBouncer", "transaction pooling", "BindTransaction", "BindPooledSession"} {
				if name == "TenantSetting" || word != "BindTransaction" {
					require.ErrorContains(t, err, word)
				}
			}
		}
		foreign, missing, err := ask(t, open(t, dsn, func(c *pgxfair.Config) { c.TenantSetting = "app.tenant" }), 1)
		require.ErrorIs(t, err, pgxfair.ErrPooler)
		require.Zero(t, foreign+missing)
		require.NoError(t, open(t, dsn).Ping(t.Context()), "without a TenantSetting it is as with pgxpool")
	}
	require.NoError(t, open(t, server.URLFor("app", "postgres"), func(c *pgxfair.Config) { c.TenantSetting = "app.tenant" }).Ping(t.Context()))
}

func TestATenantIsBoundToItsTransactionsByAPooler(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	prepareSiege(t, server)
	dsn := bouncer(t, server, "transaction").URLFor("app", "postgres")
	for _, mode := range []string{"exec", "cache_describe", "simple_protocol"} {
		db := open(t, dsn+"&default_query_exec_mode="+mode, func(c *pgxfair.Config) {
			c.MaxConns, c.TenantSetting, c.TenantBinding = 8, "app.tenant", pgxfair.BindTransaction
		})
		foreign, missing, err := ask(t, db, 100)
		require.NoError(t, err, mode)
		require.Zero(t, foreign, mode)
		require.Zero(t, missing, mode)
	}
}

func TestABadClaimOfSessionPoolingIsFoundOut(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	prepareSiege(t, server)
	pooled := func(c *pgxfair.Config) {
		c.MaxConns, c.TenantSetting, c.TenantBinding = 8, "app.tenant", pgxfair.BindPooledSession
	}
	_, _, err := ask(t, open(t, bouncer(t, server, "transaction").URLFor("app", "postgres")+"&default_query_exec_mode=exec", pooled), 100)
	require.ErrorIs(t, err, pgxfair.ErrTransactionPooling)
	require.ErrorContains(t, err, "BindTransaction")

	foreign, missing, err := ask(t, open(t, bouncer(t, server, "session").URLFor("app", "postgres"), pooled), 100)
	require.NoError(t, err)
	require.Zero(t, foreign+missing)
}

func TestASessionOfAPoolerMayBeUsedAgainByAnotherConnection(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	prepareSiege(t, server)
	cfg := throwaway.PgBouncerConfig{PoolSize: 1, Roles: []string{"app"}, Settings: map[string]string{"pool_mode": "session"}}
	dsn := throwaway.PgBouncerFor(t, server, cfg).URLFor("app", "postgres")
	db := open(t, dsn, func(c *pgxfair.Config) {
		c.MaxConns, c.TenantSetting, c.TenantBinding = 1, "app.tenant", pgxfair.BindPooledSession
	})
	before := backend(t, db.Tenant("a"))
	for range 3 {
		require.NoError(t, db.AcquireFunc(t.Context(), func(c *pgxfair.Conn) error { return c.Conn().Close(t.Context()) }))
		require.Equal(t, before, backend(t, db.Tenant("b")))
	}
}

func TestWhatIsBoundToATransactionEndsWithIt(t *testing.T) {
	dsn := database(t)
	db := open(t, dsn, func(c *pgxfair.Config) {
		c.MaxConns, c.TenantSetting, c.TenantBinding = 1, "app.tenant", pgxfair.BindTransaction
	})
	names := []string{"a", "b'\\", "漢", "a\n\t;--$1"}
	ctx := t.Context()
	const who = "select coalesce(current_setting('app.tenant', true), '')"
	for _, name := range names {
		tenant := db.Tenant(name)
		check := func(what string, row pgx.Row) {
			t.Helper()
			var is string
			require.NoError(t, row.Scan(&is), what)
			require.Equal(t, name, is, what)
		}
		check("a query", tenant.QueryRow(ctx, who))
		check("a query with options", tenant.QueryRow(ctx, who, pgx.QueryExecModeSimpleProtocol))
		require.NoError(t, tenant.AcquireFunc(ctx, func(c *pgxfair.Conn) error {
			check("of a connection", c.QueryRow(ctx, who))
			var left string
			require.NoError(t, c.Conn().QueryRow(ctx, who).Scan(&left))
			require.Empty(t, left, "the session knows it too")
			_, err := c.Exec(ctx, "begin")
			require.NoError(t, err)
			check("in a transaction by hand", c.QueryRow(ctx, who))
			check("in a transaction by hand, with options", c.QueryRow(ctx, who, pgx.QueryExecModeExec))
			_, err = c.Exec(ctx, "select 1/0")
			require.Error(t, err)
			_, err = c.Exec(ctx, "rollback")
			require.NoError(t, err)
			return nil
		}))
		_, err := tenant.Exec(ctx, "create temp table if not exists seen (name text); insert into seen values (current_setting('app.tenant'))")
		require.NoError(t, err, "several statements")
		check("those", tenant.QueryRow(ctx, "delete from seen returning name"))

		tx, err := tenant.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable, AccessMode: pgx.ReadOnly, DeferrableMode: pgx.Deferrable})
		require.NoError(t, err)
		check("a transaction", tx.QueryRow(ctx, who))
		var mode string
		require.NoError(t, tx.QueryRow(ctx, "select concat_ws(' ', current_setting('transaction_isolation'), "+
			"current_setting('transaction_read_only'), current_setting('transaction_deferrable'))").Scan(&mode))
		require.Equal(t, "serializable on on", mode)
		require.NoError(t, tx.Commit(ctx))

		b := &pgx.Batch{}
		b.BeginTx(pgx.TxOptions{IsoLevel: pgx.Serializable})
		b.Queue(who)
		b.Queue("select current_setting('transaction_isolation')").QueryRow(func(r pgx.Row) error { return r.Scan(&mode) })
		results := tenant.SendBatch(ctx, b)
		_, err = results.Exec()
		require.NoError(t, err)
		check("a batch", results.QueryRow())
		require.NoError(t, results.Close())
		require.Equal(t, "serializable", mode)
		check("the transaction of a batch", results.Tx().QueryRow(ctx, who))
		require.NoError(t, results.Tx().Rollback(ctx))

		_, err = tenant.Exec(ctx, "create temp table if not exists copied (n int, name text default current_setting('app.tenant'))")
		require.NoError(t, err)
		_, err = tenant.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"n"}, pgx.CopyFromRows([][]any{{1}}))
		require.NoError(t, err)
		check("copied rows", tenant.QueryRow(ctx, "delete from copied returning name"))
	}
	require.EqualValues(t, 1, db.Stat().NewConnsCount(), "no connection was lost over all that")
}

func TestTheEncodingOfASessionDoesNotChangeWhoIsBound(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns, c.TenantSetting, c.TenantBinding = 1, "app.tenant", pgxfair.BindTransaction
	})
	_, err := db.Tenant("Ã©").Exec(t.Context(), "set client_encoding = latin1")
	require.NoError(t, err)
	for _, name := range []string{"é", "Ã©"} {
		var n int
		require.NoError(t, db.Tenant(name).QueryRow(t.Context(), "select length(current_setting('app.tenant'))").Scan(&n))
		require.Equal(t, len([]rune(name)), n, name)
	}
}

func TestAnErrorAtTheEndOfATransactionIsThatOfItsStatement(t *testing.T) {
	dsn := database(t)
	execute(t, dsn, "create table parts (id int primary key, whole int references parts deferrable initially deferred)")
	db := open(t, dsn, func(c *pgxfair.Config) {
		c.MaxConns, c.TenantSetting, c.TenantBinding = 1, "app.tenant", pgxfair.BindTransaction
	})
	for _, options := range [][]any{nil, {pgx.QueryExecModeExec}} {
		const sql = "insert into parts values (1, 2) returning id"
		_, exec := db.Exec(t.Context(), sql, options...)
		r, err := db.Query(t.Context(), sql, options...)
		require.NoError(t, err)
		_, query := pgx.CollectRows(r, pgx.RowTo[int])
		row := db.QueryRow(t.Context(), sql, options...).Scan(new(int))
		for what, err := range map[string]error{"Exec": exec, "Query": query, "QueryRow": row} {
			require.ErrorContains(t, err, "23503", what+fmt.Sprint(options))
		}
		var n int
		require.NoError(t, db.QueryRow(t.Context(), "select count(*) from parts").Scan(&n))
		require.Zero(t, n)
	}
}
