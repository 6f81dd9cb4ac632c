package sqlfair_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// drivers are those of PostgreSQL that are tested with. Only the first knows of
// open transactions by itself.
var drivers = map[string]func(t testing.TB, server *throwaway.Postgres, role string) driver.Connector{
	"pgx": func(t testing.TB, server *throwaway.Postgres, role string) driver.Connector {
		return overPostgres(t, server, role, "postgres")
	},
	"pgx, unaware": func(t testing.TB, server *throwaway.Postgres, role string) driver.Connector {
		return unaware{overPostgres(t, server, role, "postgres")}
	},
	"pq": func(t testing.TB, server *throwaway.Postgres, role string) driver.Connector {
		c, err := pq.NewConnector(server.URLFor(role, "postgres"))
		require.NoError(t, err)
		return c
	},
}

// unaware hides from the driver's own knowledge of open transactions, which
// others lack.
type unaware struct{ driver.Connector }

func (u unaware) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := u.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner := c.(*stdlib.Conn)
	return struct {
		driver.Conn
		driver.ExecerContext
		driver.QueryerContext
		driver.ConnBeginTx
		driver.NamedValueChecker
	}{inner, inner, inner, inner, inner}, nil
}

func TestASessionWithAnOpenTransactionIsClosedWhateverTheDriver(t *testing.T) {
	server, admin := secured(t)
	_, err := admin.ExecContext(t.Context(), "CREATE SCHEMA AUTHORIZATION app")
	require.NoError(t, err)
	for name, connector := range drivers {
		for _, left := range [][]string{
			{"BEGIN"},
			{"BEGIN", "SELECT 1 / 0"},
			{"BEGIN", "SELECT set_config('app.tenant', 'tenant-9', false)", "SAVEPOINT s"},
			append(slices.Clone(masked), "BEGIN"),
		} {
			db, pool := open(t, connector(t, server, "app"), sqlfair.Config{MaxOpenConns: 1, Tenancy: sqlfair.PostgresTenant("app.tenant")})
			c, err := db.Conn(as("tenant-7"))
			require.NoError(t, err)
			for _, statement := range left {
				c.ExecContext(context.Background(), statement)
			}
			require.NoError(t, c.Close())
			v := &victim{db: db, name: "tenant-8", ok: new(atomic.Int64), foreign: make(chan string, 1)}
			require.NoError(t, v.see(as("tenant-8"), db))
			require.Empty(t, v.foreign)
			require.EqualValues(t, 2, pool.Stats().Built, "%s, after %v", name, left)
		}
	}
}

// masked puts what a tenant has made in the place of what PostgreSQL comes with.
var masked = []string{
	"CREATE OR REPLACE FUNCTION app.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT ''::text $$",
	"CREATE OR REPLACE FUNCTION app.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT ''::text $$",
	"CREATE OR REPLACE FUNCTION app.equal(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
	"CREATE OPERATOR app.= (FUNCTION = app.equal, LEFTARG = text, RIGHTARG = text)",
	"SET search_path = app, pg_catalog, public",
}

// A tenant that has its session read text, or call functions, in another way
// must not have that happen to the name of the next one.
func TestTheTenantIsBoundWhateverTheLastOneHasMadeOfTheSession(t *testing.T) {
	server, admin := secured(t)
	_, err := admin.ExecContext(t.Context(), "CREATE SCHEMA AUTHORIZATION app")
	require.NoError(t, err)
	const hex = "SELECT encode(convert_to(current_setting('app.tenant'), 'UTF8'), 'hex')"
	for name, connector := range drivers {
		for _, left := range [][]string{
			{"SET client_encoding = latin1"}, {"SET client_encoding = sjis"},
			{"SET standard_conforming_strings = off"}, {"SET backslash_quote = on"},
			masked,
		} {
			db, pool := open(t, connector(t, server, "app"), sqlfair.Config{MaxOpenConns: 1, Tenancy: sqlfair.PostgresTenant("app.tenant")})
			for tenant, want := range map[string]string{"é": "c3a9", `\'; SELECT 1; --`: "5c273b2053454c45435420313b202d2d"} {
				c, err := db.Conn(as("tenant-7"))
				require.NoError(t, err)
				for _, statement := range left {
					c.ExecContext(context.Background(), statement)
				}
				require.NoError(t, c.Close())
				var got string
				require.NoError(t, db.QueryRowContext(as(tenant), hex).Scan(&got), "%s, after %v", name, left)
				require.Equal(t, want, got, "%s, after %v", name, left)
			}
			require.EqualValues(t, 1, pool.Stats().Built)
		}
	}
}

func TestTheTenantIsBoundToFreshAndReusedSessionsAndWipedAfterwards(t *testing.T) {
	server, admin := secured(t)
	db, pool := open(t, overPostgres(t, server, "app", "postgres"), sqlfair.Config{
		MaxOpenConns: 1, Tenancy: sqlfair.PostgresTenant("app.tenant"),
	})
	setting := func(ctx context.Context) (value string) {
		require.NoError(t, db.QueryRowContext(ctx, "SELECT current_setting('app.tenant')").Scan(&value))
		return value
	}
	for i := range tenantsOfAll {
		require.Equal(t, tenantName(i), setting(as(tenantName(i))))
	}
	require.Empty(t, setting(context.Background()), "nobody's name")
	var n int
	require.NoError(t, db.QueryRow("SELECT count(*) FROM orders").Scan(&n))
	require.Zero(t, n, "nobody sees nothing")

	// A lease of the pool that bypasses the DB is bound too; what a session
	// holds while nobody has it is nothing.
	var pid int
	require.NoError(t, db.QueryRowContext(as("tenant-9"), "SELECT pg_backend_pid()").Scan(&pid))
	wait(t, "it is wiped", func() bool { return pool.Stats().Resetting == 0 && pool.Stats().InUse == 0 })
	var last string
	require.NoError(t, admin.QueryRow("SELECT query FROM pg_stat_activity WHERE pid = $1", pid).Scan(&last))
	require.Equal(t, "SELECT pg_catalog.set_config(e'app.tenant', '', false), pg_catalog.set_config('fairpool.open', 'yes', true)", last)

	for _, bad := range []string{"nul\x00byte", "in\xffvalid"} {
		require.ErrorContains(t, db.PingContext(as(bad)), "must be UTF-8 without NUL bytes")
	}
	require.EqualValues(t, 1, pool.Stats().Built, "none of it cost a connection")
	require.Panics(t, func() { sqlfair.PostgresTenant("tenant") })
}

func TestSessionsWithOpenTransactionsDoNotFailWhoeverComesUponThem(t *testing.T) {
	server, _ := secured(t)
	for name, connector := range drivers {
		for _, n := range []int{3, 7} {
			db, pool := open(t, connector(t, server, "app"), sqlfair.Config{MaxOpenConns: n, Tenancy: sqlfair.PostgresTenant("app.tenant")})
			var conns []*sql.Conn
			for range n {
				c, err := db.Conn(as("tenant-7"))
				require.NoError(t, err)
				_, err = c.ExecContext(context.Background(), "BEGIN")
				require.NoError(t, err)
				conns = append(conns, c)
			}
			for _, c := range conns {
				require.NoError(t, c.Close())
			}
			wait(t, "all are idle", func() bool { return pool.Stats().Warm == n && pool.Stats().Resetting == 0 })
			require.NoError(t, db.PingContext(as("tenant-8")), "%s, %d", name, n)
		}
	}
}

func TestAResetMayRestoreMoreThanTheTenant(t *testing.T) {
	server, _ := secured(t)
	for name, connector := range drivers {
		tenancy := sqlfair.PostgresTenant("app.tenant")
		wipe := tenancy.Reset
		tenancy.Reset = func(ctx context.Context, c *sql.Conn) error {
			if _, err := c.ExecContext(ctx, "RESET ALL"); err != nil {
				return err
			}
			return wipe(ctx, c)
		}
		db, pool := open(t, connector(t, server, "app"), sqlfair.Config{MaxOpenConns: 1, Tenancy: tenancy})
		for i, begin := range []string{"", "BEGIN"} {
			c, err := db.Conn(as("tenant-7"))
			require.NoError(t, err)
			for _, statement := range []string{"SET statement_timeout = '1h'", begin} {
				_, err = c.ExecContext(context.Background(), statement)
				require.NoError(t, err)
			}
			require.NoError(t, c.Close())
			var got string
			require.NoError(t, db.QueryRowContext(as("é"),
				"SELECT current_setting('app.tenant') || ' ' || current_setting('statement_timeout')").Scan(&got))
			require.Equal(t, "é 0", got, name)
			require.EqualValues(t, 1+i, pool.Stats().Built, name)
		}
	}
}
