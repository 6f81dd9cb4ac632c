package sqlfair_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

var stressed = flag.Int("queries", 10_000, "successful queries of the row-level security test")

const (
	tenantsOfAll = 50
	rowsOfEach   = 20
)

// tenantName returns the name of a tenant. Some are such as somebody might
// invent who wants to be somebody else.
func tenantName(i int) string {
	switch i {
	case 0:
		return "o'brien'; SELECT set_config('app.tenant', 'tenant-1', false); --"
	case 1:
		return strings.Repeat("long ", 2000)
	case 2:
		return `back\slash "quoted" $1 ünï©ode`
	case 3:
		return "*"
	}
	return fmt.Sprint("tenant-", i)
}

// secured starts a server with a table of orders, of which a tenant sees its
// own. It returns the superuser's DB beside it.
func secured(t *testing.T) (*throwaway.Postgres, *sql.DB) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	admin, err := sql.Open("pgx", server.URL("postgres"))
	require.NoError(t, err)
	t.Cleanup(func() { admin.Close() })
	for _, statement := range []string{
		"CREATE ROLE app LOGIN",
		"CREATE TABLE orders (tenant text NOT NULL, n int NOT NULL)",
		"ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY own ON orders USING (tenant = current_setting('app.tenant'))",
		"GRANT SELECT, INSERT ON orders TO app",
	} {
		_, err := admin.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	for i := range tenantsOfAll {
		_, err := admin.ExecContext(t.Context(), "INSERT INTO orders SELECT $1, generate_series(1, $2)", tenantName(i), rowsOfEach)
		require.NoError(t, err)
	}
	_, err = admin.ExecContext(t.Context(), "CHECKPOINT") // for the immediate shutdown
	require.NoError(t, err)
	return server, admin
}

// queryer is a DB, Tx, Conn: what sqlc calls a DBTX.
type queryer interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	PrepareContext(context.Context, string) (*sql.Stmt, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

var _, _, _ queryer = (*sql.DB)(nil), (*sql.Tx)(nil), (*sql.Conn)(nil)

// A victim does what tenants do, well and badly, and looks at every row that
// it gets to see.
type victim struct {
	db      *sql.DB
	r       *rand.Rand
	name    string
	ok      *atomic.Int64
	foreign chan string
}

// see reads all that there is, and reports rows of others.
func (v *victim) see(ctx context.Context, q queryer) error {
	rows, err := q.QueryContext(ctx, "SELECT tenant FROM orders")
	if err != nil {
		return err
	}
	return v.read(rows)
}

func (v *victim) read(rows *sql.Rows) error {
	defer rows.Close()
	n := 0
	for rows.Next() {
		var tenant string
		if err := rows.Scan(&tenant); err != nil {
			return err
		}
		if n++; tenant != v.name {
			v.report("%.40q saw a row of %.40q", v.name, tenant)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n < rowsOfEach {
		v.report("%.40q saw %d rows, has %d", v.name, n, rowsOfEach)
	}
	v.ok.Add(1)
	return nil
}

func (v *victim) report(format string, args ...any) {
	select {
	case v.foreign <- fmt.Sprintf(format, args...):
	default: // enough of them are known
	}
}

func (v *victim) act(ctx context.Context, stmt *sql.Stmt) error {
	background := context.Background()
	switch v.r.IntN(10) {
	case 0: // a transaction that fails in the middle
		tx, err := v.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.Exec("INSERT INTO orders VALUES ($1, 0)", v.name); err != nil {
			return err
		}
		if err := v.see(background, tx); err != nil {
			return err
		}
		if _, err := tx.Exec("SELECT 1 / 0"); err == nil {
			v.report("1 / 0 was no error")
		}
		if v.see(background, tx) == nil {
			v.report("an aborted transaction went on")
		}
		return nil // to ask for another connection now would be to wait for itself
	case 1: // a transaction that is cancelled
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		tx, err := v.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		time.AfterFunc(time.Duration(v.r.IntN(1000))*time.Microsecond, cancel)
		v.see(ctx, tx)
		return tx.Commit()
	case 2: // a query that is cancelled
		ctx, cancel := context.WithTimeout(ctx, time.Duration(v.r.IntN(3000))*time.Microsecond)
		defer cancel()
		rows, err := v.db.QueryContext(ctx, "SELECT tenant FROM orders, pg_sleep(0.001)")
		if err != nil {
			return err
		}
		return v.read(rows)
	case 3: // a transaction behind the back of database/sql, left open
		c, err := v.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.ExecContext(background, "BEGIN"); err != nil {
			return err
		}
		return v.see(background, c)
	case 4: // somebody who changes the setting, and has a right to nothing for it
		c, err := v.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := v.see(background, c); err != nil {
			return err
		}
		_, err = c.ExecContext(background, "SELECT set_config('app.tenant', $1, false)", tenantName(v.r.IntN(tenantsOfAll)))
		return err
	case 5: // a statement of the DB
		if stmt == nil {
			break
		}
		rows, err := stmt.QueryContext(ctx)
		if err != nil {
			return err
		}
		return v.read(rows)
	case 6: // rows of somebody else are refused
		_, err := v.db.ExecContext(ctx, "INSERT INTO orders VALUES ($1, 0)", v.name+" but not quite")
		if err == nil {
			v.report("%.40q wrote a row of somebody else", v.name)
		}
	}
	return v.see(ctx, v.db)
}

// approaches are the ways to a server on which a tenant has to be safe.
var approaches = map[string]struct {
	driver  string
	mode    string // of a PgBouncer, "" for none
	binding sqlfair.Binding
}{
	"pgx":                                {"pgx", "", sqlfair.BindSession},
	"pq":                                 {"pq", "", sqlfair.BindSession},
	"pgx, by transaction":                {"pgx", "", sqlfair.BindTransaction},
	"pq, PgBouncer in session mode":      {"pq", "session", sqlfair.BindPooledSession},
	"pgx, PgBouncer in transaction mode": {"pgx", "transaction", sqlfair.BindTransaction},
	"pq, PgBouncer in transaction mode":  {"pq", "transaction", sqlfair.BindTransaction},
}

func TestNoTenantEverSeesARowOfAnother(t *testing.T) {
	for name, way := range approaches {
		t.Run(name, func(t *testing.T) {
			server, admin := secured(t)
			connector := drivers[way.driver](t, server, "app")
			if way.mode != "" {
				connector = pooled(t, server, way.driver, way.mode)
			}
			stress(t, server, admin, connector, way.mode == "", way.binding)
		})
	}
}

// pooled returns a connector to a PgBouncer with fewer connections than the pool
// has.
func pooled(t *testing.T, server *throwaway.Postgres, driver, mode string) driver.Connector {
	t.Helper()
	cfg := throwaway.PgBouncerConfig{PoolSize: 5, Roles: []string{"app"}, Settings: map[string]string{
		"pool_mode": mode, "server_login_retry": "0.1", // after a restart of the server
	}}
	if mode == "session" {
		cfg.PoolSize = 20
	}
	url := revive(t, throwaway.PgBouncerFor(t, server, cfg)).URLFor("app", "postgres")
	if driver == "pq" {
		c, err := pq.NewConnector(url)
		require.NoError(t, err)
		return c
	}
	c, err := pgx.ParseConfig(url + "&default_query_exec_mode=exec")
	require.NoError(t, err)
	return stdlib.GetConnector(*c)
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

// stress has tenants do what they do, while backends are killed and the server is
// restarted.
func stress(t *testing.T, server *throwaway.Postgres, admin *sql.DB, connector driver.Connector, direct bool, how sqlfair.Binding) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	cfg := sqlfair.Config{MaxOpenConns: 8, Tenancy: sqlfair.PostgresTenantBound("app.tenant", how)}
	if direct {
		cfg.PreparedStatements = 8
	}
	db, pool := open(t, connector, cfg)
	var (
		goal     = int64(*stressed)
		restarts = []throwaway.Shutdown{throwaway.Fast, throwaway.Immediate}
		ok       atomic.Int64
		failed   atomic.Int64
		foreign  = make(chan string, 10)
		workers  sync.WaitGroup
		over     = make(chan struct{})
	)
	if testing.Short() {
		goal, restarts = 1000, restarts[:1]
	}
	var stmt *sql.Stmt
	if direct { // a session is where a statement is prepared
		var err error
		stmt, err = db.PrepareContext(as(tenantName(5)), "SELECT tenant FROM orders")
		require.NoError(t, err)
	}
	for w := range 40 {
		workers.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			for ok.Load() < goal && len(foreign) == 0 {
				v := &victim{db: db, r: r, name: tenantName(r.IntN(tenantsOfAll)), ok: &ok, foreign: foreign}
				if v.act(as(v.name), stmt) != nil {
					failed.Add(1)
					time.Sleep(time.Millisecond) // while the server restarts, they fail at once
				}
			}
		})
	}
	go func() {
		workers.Wait()
		close(over)
	}()
	killed := 0
	kill := time.NewTicker(50 * time.Millisecond)
	defer kill.Stop()
	for end := time.After(3 * time.Minute); ; {
		select {
		case <-over:
		case <-end:
			require.Fail(t, "not done in three minutes", "%d of %d, %+v", ok.Load(), goal, pool.Stats())
		case <-kill.C:
			if admin.QueryRow(`SELECT 1 FROM (SELECT pid FROM pg_stat_activity WHERE usename = 'app'
				ORDER BY random() LIMIT 1) AS one WHERE pg_terminate_backend(pid)`).Scan(new(int)) == nil {
				killed++
			}
			if done := cap(restarts) - len(restarts); len(restarts) > 0 && ok.Load() > goal*int64(done+1)/int64(cap(restarts)+1) {
				require.NoError(t, server.Restart(t.Context(), restarts[0]))
				restarts = restarts[1:]
			}
			continue
		}
		break
	}
	close(foreign)
	for what := range foreign {
		t.Error(what)
	}
	require.Empty(t, restarts)
	t.Logf("%d queries and more, %d acts failed, %d backends killed, %d connections made", ok.Load(), failed.Load(), killed, pool.Stats().Built)

	if direct {
		require.NoError(t, stmt.Close())
	}
	wait(t, "every lease is back", func() bool { return pool.Stats().InUse == 0 })
	fill(t, db, 8) // all capacity is there
	wait(t, "all is quiet", func() bool {
		s := pool.Stats()
		return s.Resetting == 0 && s.Building == 0 && s.Destroying == 0
	})
	if !direct {
		return
	}
	sessions := func() (n int) {
		require.NoError(t, admin.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'").Scan(&n))
		return n
	}
	wait(t, "the server counts the same connections", func() bool {
		pingAll(t, db, 8) // one that was killed while it was idle is not noticed before its next use
		return sessions() == pool.Stats().Warm
	})
	require.NoError(t, db.Close())
	wait(t, "the server counts none", func() bool { return sessions() == 0 })
}

func TestAShareIsEnforcedBetweenTheTenantsOfAServer(t *testing.T) {
	server, _ := secured(t)
	db, pool := open(t, overPostgres(t, server, "app", "postgres"), sqlfair.Config{MaxOpenConns: 4})
	ctx, cancel := context.WithCancel(context.Background())
	var noisy sync.WaitGroup
	for range 200 {
		noisy.Go(func() {
			for ctx.Err() == nil {
				db.ExecContext(fairshare.WithTenant(ctx, "noisy"), "SELECT pg_sleep(0.05)")
			}
		})
	}
	wait(t, "the noisy one has it all", func() bool { return pool.Stats().Waiting > 150 })
	served := func() (n uint64) {
		for name, s := range pool.Tenants() {
			if name == "noisy" {
				n = s.Acquired
			}
		}
		return n
	}
	var before []uint64 // how many of the noisy ones are served before a quiet one
	for range 9 {
		begin := served()
		require.NoError(t, db.PingContext(as("quiet")))
		before = append(before, served()-begin)
	}
	cancel()
	noisy.Wait()
	slices.Sort(before)
	require.Less(t, before[len(before)/2], uint64(10), "first come, first served is 150")
}
