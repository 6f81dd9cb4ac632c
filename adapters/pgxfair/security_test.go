package pgxfair_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

var securityQueries = flag.Int("security.queries", 10_000, "queries that TestNoTenantSeesTheRowsOfAnother has answered")

const securityTenants = 50

// A siege is clients of many tenants that do all that may confuse a pool.
type siege struct {
	db       *pgxfair.Pool
	admin    string
	answered atomic.Int64
	wanted   int64

	mu       sync.Mutex
	outcomes map[string]int
	breaches []string
}

func (s *siege) note(outcome string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes[outcome]++
}

func (s *siege) breach(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breaches = append(s.breaches, fmt.Sprintf(format, args...))
}

func nameOf(tenant int) string { return fmt.Sprintf("tenant '%d", tenant) }

func prepareSiege(t *testing.T, server *throwaway.Postgres) {
	execute(t, server.URL("postgres"),
		"create role app login",
		"create table notes (tenant text not null, n int not null)",
		"alter table notes enable row level security",
		"create policy own on notes using (tenant = current_setting('app.tenant')) with check (tenant = current_setting('app.tenant'))",
		"grant all on notes to app",
	)
	conn := dial(t, server.URL("postgres"))
	defer conn.Close(context.Background())
	for tenant := range securityTenants {
		for n := range 3 {
			_, err := conn.Exec(t.Context(), "insert into notes values ($1, $2)", nameOf(tenant), n)
			require.NoError(t, err)
		}
	}
	_, err := conn.Exec(t.Context(), "checkpoint")
	require.NoError(t, err)
}

// approaches are the ways to a server on which a tenant has to be safe.
var approaches = map[string]struct {
	mode    string // of a PgBouncer, "" for none
	binding pgxfair.Binding
}{
	"directly":                           {"", pgxfair.BindSession},
	"directly, by transaction":           {"", pgxfair.BindTransaction},
	"by a PgBouncer in session mode":     {"session", pgxfair.BindPooledSession},
	"by a PgBouncer in transaction mode": {"transaction", pgxfair.BindTransaction},
}

func TestNoTenantSeesTheRowsOfAnother(t *testing.T) {
	for name, way := range approaches {
		t.Run(name, func(t *testing.T) {
			server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
			prepareSiege(t, server)
			dsn := server.URLFor("app", "postgres") + "&application_name=siege"
			if way.mode != "" {
				dsn = bouncer(t, server, way.mode).URLFor("app", "postgres") + "&application_name=siege&default_query_exec_mode=exec"
			}
			besiege(t, server, dsn, way.binding)
		})
	}
}

// bouncer starts a PgBouncer with fewer connections than the pool has.
func bouncer(t *testing.T, server *throwaway.Postgres, mode string) *throwaway.PgBouncer {
	t.Helper()
	cfg := throwaway.PgBouncerConfig{PoolSize: 5, Roles: []string{"app"}, Settings: map[string]string{
		"pool_mode": mode, "server_login_retry": "0.1", // after a restart of the server
	}}
	if mode == "session" {
		cfg.PoolSize = 20
	}
	return revive(t, throwaway.PgBouncerFor(t, server, cfg))
}

// revive has a PgBouncer be started again whenever it has ended, as its service
// would be: 1.18 does not survive all that is done to it here ("server in bad
// state").
func revive(t *testing.T, b *throwaway.PgBouncer) *throwaway.PgBouncer {
	t.Helper()
	var watch sync.WaitGroup
	watch.Go(func() {
		for t.Context().Err() == nil {
			b.Start(t.Context())
			time.Sleep(20 * time.Millisecond)
		}
	})
	t.Cleanup(watch.Wait)
	return b
}

func besiege(t *testing.T, server *throwaway.Postgres, dsn string, binding pgxfair.Binding) {
	s := &siege{admin: server.URL("postgres"), outcomes: map[string]int{}, wanted: int64(*securityQueries)}
	if testing.Short() {
		s.wanted /= 10
	}
	const conns, clients = 8, 32
	s.db = open(t, dsn, func(c *pgxfair.Config) {
		c.MaxConns, c.TenantSetting, c.TenantBinding = conns, "app.tenant", binding
	})
	source := random(t)
	var all sync.WaitGroup
	for range clients {
		own := rand.New(rand.NewPCG(source.Uint64(), 0))
		all.Go(func() { s.client(t.Context(), own) })
	}
	for i, how := range []throwaway.Shutdown{throwaway.Fast, throwaway.Immediate, throwaway.Fast, throwaway.Immediate} {
		due := s.wanted * int64(i+1) / 5
		eventuallyWithin(t, 5*time.Minute, func() bool { return s.answered.Load() >= due })
		require.NoError(t, server.Restart(t.Context(), how))
	}
	all.Wait()
	for _, outcome := range slices.Sorted(maps.Keys(s.outcomes)) {
		t.Logf("%6d %s", s.outcomes[outcome], outcome)
	}
	require.Empty(t, s.breaches)
	require.Greater(t, s.outcomes["own rows"], 0)
	require.Greater(t, s.outcomes["wrong tenant refused"], 0)

	// No connection leaks, and all capacity is there.
	idle(t, s.db)
	require.LessOrEqual(t, s.db.Stat().TotalConns(), int32(conns))
	var held []*pgxfair.Conn
	for range conns {
		c, err := s.db.Acquire(t.Context())
		require.NoError(t, err)
		held = append(held, c)
	}
	for _, c := range held {
		c.Release()
	}
	idle(t, s.db)
	if dsn == server.URLFor("app", "postgres")+"&application_name=siege" {
		admin := dial(t, s.admin)
		defer admin.Close(context.Background())
		eventually(t, func() bool { return count(t, admin, "siege") == conns }, "%+v", s.db.Stats())
		s.db.Close()
		eventually(t, func() bool { return count(t, admin, "siege") == 0 }, "connections are left")
	}
	t.Logf("%+v", s.db.Stats())
}

func eventuallyWithin(t testing.TB, d time.Duration, is func() bool) {
	t.Helper()
	require.Eventually(t, is, d, 2*time.Millisecond)
}

// client asks in the name of random tenants until enough is answered.
func (s *siege) client(ctx context.Context, random *rand.Rand) {
	for s.answered.Load() < s.wanted {
		tenant, other := nameOf(random.IntN(securityTenants)), nameOf(random.IntN(securityTenants))
		call, cancel := ctx, context.CancelFunc(func() {})
		if random.IntN(4) == 0 {
			call, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(3000))*time.Microsecond)
		}
		err := s.act(call, s.db.Tenant(tenant), tenant, other, random.IntN(100))
		cancel()
		s.judge(call, err)
	}
}

// judge notes what came of a call. Where there is no answer, it may be a while
// until there is one.
func (s *siege) judge(ctx context.Context, err error) {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		s.answered.Add(1)
	case ctx.Err() != nil:
		s.note("cancelled")
		s.answered.Add(1)
	case errors.As(err, &pg):
		s.note("SQLSTATE " + pg.Code)
		if pg.Code == "22012" { // on purpose
			s.answered.Add(1)
		}
	default:
		s.note("no answer")
		time.Sleep(5 * time.Millisecond) // the server restarts
	}
}

// act does one of the things that clients do.
func (s *siege) act(ctx context.Context, db *pgxfair.Tenant, tenant, other string, what int) error {
	switch {
	case what < 50:
		return s.look(ctx, db, tenant)
	case what < 60: // leaves rows unread
		r, err := db.Query(ctx, "select tenant from notes, generate_series(1, 1000)")
		if err != nil {
			return err
		}
		defer r.Close()
		for range 10 {
			if r.Next() {
				s.inspect(r, tenant)
			}
		}
		return r.Err()
	case what < 75:
		return s.write(ctx, db, tenant, other)
	case what < 85:
		return s.transact(ctx, db, tenant)
	case what < 90: // returns the connection in the midst of a transaction that has failed
		return db.AcquireFunc(ctx, func(c *pgxfair.Conn) error {
			if _, err := c.Exec(ctx, "begin"); err != nil {
				return err
			}
			_, err := c.Exec(ctx, "select 1/0")
			return err
		})
	case what < 95: // claims to be another one, and leaves the session so
		s.note("claims to be another")
		_, err := db.Exec(ctx, "select set_config('app.tenant', $1, false)", other)
		return err
	case what < 97:
		_, err := db.Exec(ctx, "select pg_terminate_backend(pg_backend_pid())")
		return err
	default:
		_, err := db.Exec(ctx, "select pg_sleep(0.005)")
		return err
	}
}

// look reads all rows that the tenant can see.
func (s *siege) look(ctx context.Context, db dbtx, tenant string) error {
	r, err := db.Query(ctx, "select tenant from notes")
	if err != nil {
		return err
	}
	defer r.Close()
	rows := 0
	for r.Next() {
		s.inspect(r, tenant)
		rows++
	}
	if err := r.Err(); err != nil {
		return err
	}
	if rows < 3 {
		s.breach("%s sees %d rows, not its own", tenant, rows)
	}
	s.note("own rows")
	return nil
}

func (s *siege) inspect(r pgx.Rows, tenant string) {
	var of string
	if r.Scan(&of) == nil && of != tenant {
		s.breach("%s sees a row of %s", tenant, of)
	}
}

// write adds a row for the tenant or for another one, which must not be possible.
func (s *siege) write(ctx context.Context, db *pgxfair.Tenant, tenant, other string) error {
	b := &pgx.Batch{}
	b.Queue("select count(*) from notes where tenant <> $1", tenant).QueryRow(func(r pgx.Row) error {
		var n int
		if err := r.Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			s.breach("%s counts %d rows of others", tenant, n)
		}
		return nil
	})
	b.Queue("insert into notes values ($1, 99)", other)
	b.Queue("delete from notes where n = 99")
	err := db.SendBatch(ctx, b).Close()
	var pg *pgconn.PgError
	refused := errors.As(err, &pg) && pg.Code == "42501"
	switch {
	case tenant != other && err == nil:
		s.breach("%s writes a row of %s", tenant, other)
	case tenant == other && refused:
		s.breach("%s cannot write", tenant)
	case refused:
		s.note("wrong tenant refused")
		return nil
	}
	return err
}

// transact fails in the midst of a transaction.
func (s *siege) transact(ctx context.Context, db *pgxfair.Tenant, tenant string) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := s.look(ctx, tx, tenant); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "select 1/0")
		return err
	})
}
