package throwaway_test

import (
	"errors"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// psql runs statements in a session of their own and returns the output.
func psql(t *testing.T, dsn string, statements ...string) string {
	t.Helper()
	program := throwaway.ProgramFor(t, "psql", nil)
	args := []string{"-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", dsn}
	for _, s := range statements {
		args = append(args, "-c", s)
	}
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

func TestAPostgresServesUntilItIsClosed(t *testing.T) {
	p := throwaway.PostgresFor(t, throwaway.PostgresConfig{Settings: map[string]string{"max_connections": "37"}})
	require.Equal(t, "37", psql(t, p.URL("postgres"), "SHOW max_connections"))
	require.Equal(t, "off", psql(t, p.URL("postgres"), "SHOW fsync"))
	require.Equal(t, "postgres", psql(t, p.URL("postgres"), "SELECT current_user"))

	psql(t, p.URL("postgres"), `CREATE ROLE "o'app" LOGIN`)
	require.Equal(t, "o'app", psql(t, p.URLFor("o'app", "postgres"), "SELECT current_user"))
	u, err := url.Parse(p.URL("postgres"))
	require.NoError(t, err)
	require.Equal(t, p.Addr(), u.Host)

	require.NoError(t, p.Close())
	require.NoError(t, p.Close(), "further calls do nothing")
	require.Error(t, p.Start(t.Context()), "a closed server cannot be started")
}

func TestAPostgresKeepsItsDataAndItsAddressOverARestart(t *testing.T) {
	p := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	addr := p.Addr()
	// The one commit that must survive a crash is synchronous.
	psql(t, p.URL("postgres"), "SET synchronous_commit = on", "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
	for _, how := range []throwaway.Shutdown{throwaway.Fast, throwaway.Immediate} {
		require.NoError(t, p.Restart(t.Context(), how))
		require.Equal(t, addr, p.Addr())
		require.Equal(t, "1", psql(t, p.URL("postgres"), "SELECT count(*) FROM kept"))
	}
	require.Contains(t, p.Log(), "received fast shutdown request")
	require.Contains(t, p.Log(), "received immediate shutdown request")
	require.Contains(t, p.Log(), "automatic recovery in progress")

	require.NoError(t, p.Stop(throwaway.Fast))
	require.NoError(t, p.Stop(throwaway.Fast), "a stopped server can be stopped")
	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, p.Start(t.Context()), "a server that runs can be started")
	require.Equal(t, "1", psql(t, p.URL("postgres"), "SELECT count(*) FROM kept"))
}

func TestAPostgresThatCannotStartSaysWhyAndLeavesNothing(t *testing.T) {
	temp := ownTemp(t)
	t.Setenv("TMPDIR", temp)
	_, err := throwaway.StartPostgres(t.Context(), throwaway.PostgresConfig{Settings: map[string]string{"max_connections": "none"}})
	skipIfMissing(t, err)
	require.ErrorContains(t, err, `invalid value for parameter "max_connections": "none"`)
	require.Empty(t, folders(t, temp))

	_, err = throwaway.StartPostgres(t.Context(), throwaway.PostgresConfig{Settings: map[string]string{"port": "1"}})
	require.EqualError(t, err, `throwaway: PostgresConfig.Settings["port"] is "1", but the port is chosen`)
}

func skipIfMissing(t *testing.T, err error) {
	t.Helper()
	var missing *throwaway.MissingError
	if errors.As(err, &missing) {
		throwaway.Need(t, err)
	}
}

func TestAPgBouncerSharesConnectionsByTransaction(t *testing.T) {
	p := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	psql(t, p.URL("postgres"), "CREATE ROLE app LOGIN")
	b := throwaway.PgBouncerFor(t, p, throwaway.PgBouncerConfig{PoolSize: 1, Roles: []string{"app"}})
	backend := psql(t, b.URL("postgres"), "SELECT pg_backend_pid()")
	require.Equal(t, backend, psql(t, b.URL("postgres"), "SELECT pg_backend_pid()"), "the next client gets the same connection")
	require.Equal(t, "app", psql(t, b.URLFor("app", "postgres"), "SELECT current_user"))
	require.Contains(t, psql(t, b.URL("pgbouncer"), "SHOW CONFIG"), "pool_mode|transaction")

	require.NoError(t, b.Restart(t.Context()))
	require.NotEqual(t, backend, psql(t, b.URL("postgres"), "SELECT pg_backend_pid()"))
	require.NoError(t, b.Stop())
	require.NoError(t, b.Close())

	_, err := throwaway.StartPgBouncer(t.Context(), p, throwaway.PgBouncerConfig{PoolSize: -1})
	require.EqualError(t, err, "throwaway: PgBouncerConfig.PoolSize is -1, must not be negative; 0 means 20")
	_, err = throwaway.StartPgBouncer(t.Context(), p, throwaway.PgBouncerConfig{Settings: map[string]string{"pool_mode": "wrong"}})
	require.ErrorContains(t, err, "pgbouncer has ended")
}

func TestAStandbyFollowsUntilItIsPromoted(t *testing.T) {
	primary := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	psql(t, primary.URL("postgres"), "CREATE TABLE copied (n int)")
	standby := throwaway.PostgresFor(t, throwaway.PostgresConfig{Primary: primary})
	psql(t, primary.URL("postgres"), "INSERT INTO copied VALUES (7)")
	require.Eventually(t, func() bool { return psql(t, standby.URL("postgres"), "SELECT n FROM copied") == "7" },
		20*time.Second, 50*time.Millisecond)
	require.NoError(t, primary.Stop(throwaway.Immediate))
	require.Equal(t, "t", psql(t, standby.URL("postgres"), "SELECT pg_promote()"))
	psql(t, standby.URL("postgres"), "INSERT INTO copied VALUES (8)")
}
