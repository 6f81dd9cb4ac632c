package pgxfair_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// shared is the server of all tests that do not stop theirs, started by the
// first.
var shared = sync.OnceValues(func() (*throwaway.Postgres, error) {
	server, err := throwaway.StartPostgres(context.Background(), throwaway.PostgresConfig{Settings: map[string]string{"max_connections": "200"}})
	if err == nil {
		stopShared = server.Close
	}
	return server, err
})

var stopShared = func() error { return nil }

func TestMain(m *testing.M) {
	code := m.Run()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var schemas atomic.Int64

// database returns the URL of a database on the shared server, with a schema of
// its own for the test.
func database(t testing.TB) string {
	t.Helper()
	server, err := shared()
	throwaway.Need(t, err)
	name := fmt.Sprintf("test_%d", schemas.Add(1))
	execute(t, server.URL("postgres"), "create schema "+name)
	return server.URL("postgres") + "&search_path=" + name
}

// as returns the URL for another role.
func as(t testing.TB, dsn, role string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.User = url.User(role)
	return u.String()
}

// execute runs statements on a connection of their own.
func execute(t testing.TB, dsn string, statements ...string) {
	t.Helper()
	conn := dial(t, dsn)
	defer conn.Close(context.Background())
	for _, s := range statements {
		_, err := conn.Exec(t.Context(), s)
		require.NoError(t, err, s)
	}
}

func dial(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	return conn
}

// open opens a pool that is closed at the end of the test, which fails if
// connections are not returned by then.
func open(t testing.TB, dsn string, change ...func(*pgxfair.Config)) *pgxfair.Pool {
	t.Helper()
	cfg, err := pgxfair.ParseConfig(dsn)
	require.NoError(t, err)
	cfg.MaxConns = 4
	for _, c := range change {
		c(cfg)
	}
	db, err := pgxfair.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := db.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return db
}

// patience is for what takes no time on a machine that has some.
const patience = 30 * time.Second

func eventually(t testing.TB, is func() bool, what string, args ...any) {
	t.Helper()
	require.Eventually(t, is, patience, 2*time.Millisecond, append([]any{what}, args...)...)
}

// idle waits until no connection is in use or on its way.
func idle(t testing.TB, db *pgxfair.Pool) {
	t.Helper()
	eventually(t, func() bool {
		s := db.Stats()
		return s.Leased == 0 && s.Resetting == 0 && s.Checking == 0 && s.Destroying == 0 && s.Building == 0
	}, "%+v", db.Stats())
}

// backend returns the process that serves the connection.
func backend(t testing.TB, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) uint32 {
	t.Helper()
	var pid uint32
	require.NoError(t, q.QueryRow(t.Context(), "select pg_backend_pid()").Scan(&pid))
	return pid
}

func pidText(pid uint32) string { return strconv.FormatUint(uint64(pid), 10) }

// terminate ends the backend of a connection.
func terminate(t testing.TB, dsn string, pid uint32) {
	t.Helper()
	execute(t, dsn, "select pg_terminate_backend("+pidText(pid)+", 10000)")
}

// sleeping waits until a backend is in the midst of pg_sleep.
func sleeping(t testing.TB, dsn string, pid uint32) {
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(context.Background())
	for start := time.Now(); time.Since(start) < patience; {
		var yes bool
		err := conn.QueryRow(t.Context(), "select exists (select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep')", pid).Scan(&yes)
		if err != nil || yes {
			return
		}
	}
}

// random returns a source whose seed the test shows if it fails.
func random(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}
