package pgxfair_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// tenantOf returns what the session takes for its tenant.
func tenantOf(t testing.TB, ctx context.Context, q dbtx) string {
	t.Helper()
	var name *string
	require.NoError(t, q.QueryRow(ctx, "select current_setting('app.tenant', true)").Scan(&name))
	require.NotNil(t, name, "the setting is not there")
	return *name
}

// awkward are names that somebody may not have thought of.
var awkward = []string{
	"acme", "", "o'neill", `back\slash`, `"quoted"`, "'; drop table tenants; --", "$1", "$$", "E'\\n'", "new\nline", "tab\t",
	"ünïcödé 🐘", " leading and trailing ", strings.Repeat("x", 10_000), strings.Repeat("'\\", 5_000), "\x01\x7f", "default", "a,b",
}

func TestTheSessionKnowsTheTenantWhateverItIsCalled(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns, c.TenantSetting = 1, "app.tenant" })
	for _, name := range awkward {
		ctx := fairshare.WithTenant(t.Context(), name)
		require.Equal(t, name, tenantOf(t, ctx, db))
		if name != "" { // which is that of the context
			require.Equal(t, name, tenantOf(t, fairshare.WithTenant(t.Context(), "another"), db.Tenant(name)))
		}
	}
	require.EqualValues(t, 1, db.Stat().NewConnsCount(), "none has cost the connection")
}

// A tenant that has its session read text in another way must not have the name
// of the next one read so.
func TestTheTenantIsSetRightWhateverTheSessionTakesForText(t *testing.T) {
	const hex = "select encode(convert_to(current_setting('app.tenant'), 'UTF8'), 'hex')"
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns, c.TenantSetting = 1, "app.tenant" })
	for _, setting := range []string{
		"client_encoding = latin1", "client_encoding = sjis", "standard_conforming_strings = off", "backslash_quote = on",
	} {
		_, err := db.Tenant("a").Exec(t.Context(), "set "+setting)
		require.NoError(t, err)
		for name, want := range map[string]string{"é": "c3a9", `\'; select 1; --`: "5c273b2073656c65637420313b202d2d"} {
			var got string
			require.NoError(t, db.Tenant(name).QueryRow(t.Context(), hex, pgx.QueryExecModeExec).Scan(&got), setting)
			require.Equal(t, want, got, setting)
		}
	}
	require.EqualValues(t, 1, db.Stat().NewConnsCount())
}

func TestATenantThatPostgreSQLHasNoTextForIsRefusedBeforeItWaits(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns, c.TenantSetting = 1, "app.tenant" })
	held, err := db.Acquire(t.Context())
	require.NoError(t, err)
	defer held.Release()
	for name, want := range map[string]string{
		"a\x00b":                             `pgxfair: set app.tenant: the name of tenant "a\x00b" contains a NUL byte, which PostgreSQL has no text for`,
		"a\xffb":                             `pgxfair: set app.tenant: the name of tenant "a\xffb" is not valid UTF-8`,
		strings.Repeat("x", 10_000) + "\x00": "... (10001 bytes) contains a NUL byte",
		strings.Repeat("x", 63) + "ü" + "\xc3\x28": "... (67 bytes) is not valid UTF-8",
	} {
		_, err := db.Tenant(name).Exec(t.Context(), "select 1")
		require.ErrorContains(t, err, want)
		require.Less(t, len(err.Error()), 300)
	}
	anything := open(t, database(t))
	require.NoError(t, anything.Tenant("a\x00\xff").Ping(t.Context()), "without a setting a name is any string")
}

func TestTheTenantIsSetOnEveryHandOutAndWipedOnReturn(t *testing.T) {
	dsn := database(t)
	seen := make(chan string, 100)
	db := open(t, dsn, func(c *pgxfair.Config) {
		c.MaxConns, c.TenantSetting = 1, "app.tenant"
		c.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
			seen <- tenantOf(t, ctx, conn)
			return true, nil
		}
	})
	require.Equal(t, "a", tenantOf(t, t.Context(), db.Tenant("a")))
	require.Equal(t, "a", <-seen, "hooks of the user come after it, on a fresh connection")
	require.Equal(t, "b", tenantOf(t, t.Context(), db.Tenant("b")))
	require.Equal(t, "b", <-seen, "and on a used one")
	require.Empty(t, tenantOf(t, t.Context(), db))

	// One that changes it itself changes nothing for others.
	_, err := db.Tenant("mallory").Exec(t.Context(), "set app.tenant = 'a'")
	require.NoError(t, err)
	require.Equal(t, "b", tenantOf(t, t.Context(), db.Tenant("b")))
	_, err = db.Tenant("mallory").Exec(t.Context(), "reset all")
	require.NoError(t, err)
	require.Equal(t, "b", tenantOf(t, t.Context(), db.Tenant("b")))

	// Nor one that puts a function of its own in the way.
	_, err = db.Tenant("mallory").Exec(t.Context(), "create function set_config(text, text, bool) returns text language sql as $$ select ''::text $$")
	require.NoError(t, err)
	_, err = db.Tenant("mallory").Exec(t.Context(), "select pg_catalog.set_config('search_path', current_schema || ', pg_catalog', false)")
	require.NoError(t, err)
	require.Equal(t, "b", tenantOf(t, t.Context(), db.Tenant("b")))

	idle(t, db)
	c, err := db.Tenant("last").Acquire(t.Context())
	require.NoError(t, err)
	raw := c.Conn()
	c.Release()
	idle(t, db)
	require.Empty(t, tenantOf(t, t.Context(), raw), "an idle session has no tenant")
}

func TestAConnectionWhoseTenantCannotBeSetIsNotHandedOut(t *testing.T) {
	dsn := database(t)
	var deny atomic.Bool
	db := open(t, dsn, func(c *pgxfair.Config) {
		c.MaxConns, c.TenantSetting = 1, "app.tenant"
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			if deny.Load() {
				_, err := conn.Exec(ctx, "begin; select 1") // set in a transaction that has failed
				if err == nil {
					conn.Exec(ctx, "selekt")
				}
				return err
			}
			return nil
		}
	})
	deny.Store(true)
	_, err := db.Tenant("a").Exec(t.Context(), "select 1")
	var why *pool.AcquireError
	require.ErrorAs(t, err, &why)
	require.Equal(t, fairshare.NotPrepared, why.Reason)
	require.ErrorContains(t, err, "pgxfair: set app.tenant: ERROR: current transaction is aborted")
	require.EqualValues(t, 3, db.Stats().Retired[pool.PrepareFailed])
	deny.Store(false)
	eventually(t, func() bool { // the tenant is put off for a moment
		_, err := db.Tenant("a").Exec(t.Context(), "select 1")
		return err == nil
	}, "the tenant is not served again")
	require.Equal(t, "a", tenantOf(t, t.Context(), db.Tenant("a")))
}

// stain leaves something of everything in a session.
func stain(t *testing.T, q dbtx) {
	t.Helper()
	for _, sql := range []string{
		"set statement_timeout = '1h'",
		"create temp table left_behind (n int)",
		"listen gossip",
		"notify gossip, 'psst'",
		"prepare left_over as select 1",
		"declare cursor_left cursor with hold for select 1",
		"set role nobody_else",
	} {
		_, err := q.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	var locked bool
	require.NoError(t, q.QueryRow(t.Context(), "select pg_try_advisory_lock(pg_backend_pid())").Scan(&locked))
	require.True(t, locked)
}

// stains returns what is left of it.
func stains(t *testing.T, q dbtx) (left []string) {
	t.Helper()
	for name, sql := range map[string]string{
		"setting":  "select current_setting('statement_timeout') <> '0'",
		"table":    "select to_regclass('pg_temp.left_behind') is not null",
		"listener": "select exists (select from pg_listening_channels())",
		"prepared": "select exists (select from pg_prepared_statements where name = 'left_over')",
		"cursor":   "select exists (select from pg_cursors where name = 'cursor_left')",
		"role":     "select current_user = 'nobody_else'",
		"lock":     "select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())",
	} {
		var dirty bool
		require.NoError(t, q.QueryRow(t.Context(), sql).Scan(&dirty))
		if dirty {
			left = append(left, name)
		}
	}
	return left
}

func TestASessionIsRestoredAsFarAsIsAskedFor(t *testing.T) {
	dsn := database(t)
	execute(t, dsn, "do $$ begin create role nobody_else; exception when duplicate_object then null; end $$")
	for _, c := range []struct {
		reset pgxfair.ResetSession
		clean bool
	}{{pgxfair.ResetOff, false}, {pgxfair.ResetDirty, true}, {pgxfair.ResetAlways, true}} {
		db := open(t, dsn, func(cfg *pgxfair.Config) {
			cfg.MaxConns, cfg.ResetSession, cfg.TenantSetting = 1, c.reset, "app.tenant"
		})
		conn, err := db.Tenant("a").Acquire(t.Context())
		require.NoError(t, err)
		pid := backend(t, conn)
		stain(t, conn)
		require.Len(t, stains(t, conn), 7)
		conn.Release()

		conn, err = db.Tenant("b").Acquire(t.Context())
		require.NoError(t, err)
		require.Equal(t, pid, backend(t, conn), "the connection is kept")
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		n, err := conn.Conn().WaitForNotification(gone)
		if c.clean {
			require.Empty(t, stains(t, conn), c.reset)
			require.Nil(t, n, "a notification for the tenant before")
		} else {
			require.Len(t, stains(t, conn), 7)
			require.NoError(t, err)
			require.Equal(t, "psst", n.Payload)
		}
		require.Equal(t, "b", tenantOf(t, t.Context(), conn))
		conn.Release()
		idle(t, db)
		require.EqualValues(t, 0, db.Stats().ResetFailures)
	}
}

func TestACleanSessionIsNotRestoredIfOnlyDirtyOnesAre(t *testing.T) {
	dsn := database(t)
	execute(t, dsn, "create table numbers as select n from generate_series(1, 5000) n")
	db := open(t, dsn, func(c *pgxfair.Config) { c.MaxConns, c.ResetSession = 1, pgxfair.ResetDirty })
	prepared := func() (n int) {
		require.NoError(t, db.QueryRow(t.Context(), "select count(*) from pg_prepared_statements").Scan(&n))
		return n
	}
	clean := []string{
		"select 1", "select n, repeat('x', n) from numbers", "insert into numbers values (0)", "update numbers set n = 1 where n = 0",
		"delete from numbers where n = 1", "begin; select 1; rollback", "begin; savepoint a; release savepoint a; commit", "show all", "explain select 1",
	}
	for _, sql := range clean {
		_, err := db.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err, sql)
	}
	_, err := db.CopyFrom(t.Context(), pgx.Identifier{"numbers"}, []string{"n"}, pgx.CopyFromRows([][]any{{-1}}))
	require.NoError(t, err)
	require.NotZero(t, prepared())
	before := prepared()
	require.GreaterOrEqual(t, before, 1, "the statements that pgx has cached are still there")

	for _, sql := range []string{
		"set work_mem = '1MB'", "listen x", "create temp table t (n int)", "do $$ begin end $$", "prepare p as select 1", "reset all",
		"select set_config('timezone', 'Asia/Tokyo', false)", // the server tells of that one
	} {
		require.NotZero(t, prepared())
		_, err := db.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
		idle(t, db)
		require.Equal(t, 1, prepared(), "%s: only this statement is prepared", sql)
		_, err = db.Exec(t.Context(), "select $1::int", 1)
		require.NoError(t, err)
		require.Equal(t, 2, prepared(), "%s: it is restored once", sql)
	}
}
