package sqlfair_test

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
)

var figures = flag.Bool("figures", false, "measure for the README: go test -run Figures -v -figures")

// limited returns a plain DB of at most n connections, which it keeps.
func limited(t *testing.T, db *sql.DB, n int) *sql.DB {
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db
}

// TestFiguresOfTheOverhead compares the time that a query takes with nobody
// else about, in turns.
func TestFiguresOfTheOverhead(t *testing.T) {
	if !*figures {
		t.Skip("needs -figures")
	}
	const query = "SELECT 1"
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	memory, err := sqlite.NewConnector(":memory:")
	require.NoError(t, err)
	pg := overPostgres(t, server, "postgres", "postgres")
	fair := func(c driver.Connector, cfg sqlfair.Config) *sql.DB {
		cfg.MaxOpenConns = cmp.Or(cfg.MaxOpenConns, 4)
		db, _ := open(t, c, cfg)
		return db
	}
	full := sqlfair.PostgresTenant("app.tenant")
	lite, plain := limited(t, sql.OpenDB(memory), 4), limited(t, sql.OpenDB(pg), 4)
	direct := func(db *sql.DB) func(context.Context) error {
		return func(ctx context.Context) error { return db.QueryRowContext(ctx, query).Scan(new(int)) }
	}
	statement := func(db *sql.DB) func(context.Context) error {
		stmt, err := db.PrepareContext(context.Background(), query)
		require.NoError(t, err)
		t.Cleanup(func() { stmt.Close() })
		return func(ctx context.Context) error { return stmt.QueryRowContext(ctx).Scan(new(int)) }
	}
	inTx := func(ctx context.Context) error {
		tx, err := plain.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := tx.QueryRowContext(ctx, "SELECT set_config('app.tenant', $1, true)", "a").Scan(new(string)); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, query).Scan(new(int)); err != nil {
			return err
		}
		return tx.Commit()
	}
	for _, c := range []struct {
		name        string
		plain, fair func(context.Context) error
	}{
		{"SQLite in memory", direct(lite), direct(fair(memory, sqlfair.Config{}))},
		{"SQLite in memory, statement of the DB", statement(lite), statement(fair(memory, sqlfair.Config{}))},
		{"the same, 8 kept", statement(lite), statement(fair(memory, sqlfair.Config{PreparedStatements: 8}))},
		{"PostgreSQL", direct(plain), direct(fair(pg, sqlfair.Config{}))},
		{"PostgreSQL, statement of the DB", statement(plain), statement(fair(pg, sqlfair.Config{}))},
		{"the same, 8 kept", statement(plain), statement(fair(pg, sqlfair.Config{PreparedStatements: 8}))},
		{"PostgreSQL, tenant bound (plain: set_config in a Tx)", inTx, direct(fair(pg, sqlfair.Config{Tenancy: full}))},
		{"the same, bound but not wiped", inTx, direct(fair(pg, sqlfair.Config{Tenancy: sqlfair.Tenancy{Bind: full.Bind}}))},
		{"the same, bound and wiped, one connection", inTx, direct(fair(pg, sqlfair.Config{MaxOpenConns: 1, Tenancy: full}))},
	} {
		a, b, ratio := inTurns(t, c.plain, c.fair)
		t.Logf("| %s | %v | %v | %.2f |", c.name, a, b, ratio)
	}
}

// inTurns returns the medians of what each call of the two takes, and of the
// ratios of neighbouring rounds.
func inTurns(t *testing.T, a, b func(context.Context) error) (time.Duration, time.Duration, float64) {
	const rounds, calls = 41, 500
	ctx, cancel := context.WithCancel(as("a"))
	defer cancel()
	took := func(fn func(context.Context) error) time.Duration {
		begin := time.Now()
		for range calls {
			require.NoError(t, fn(ctx))
		}
		return time.Since(begin) / calls
	}
	var as, bs []time.Duration
	var ratios []float64
	for i := range rounds + 1 {
		x, y := took(a), took(b)
		if i > 0 { // the first is to warm up
			as, bs, ratios = append(as, x), append(bs, y), append(ratios, float64(y)/float64(x))
		}
	}
	slices.Sort(as)
	slices.Sort(bs)
	slices.Sort(ratios)
	return as[rounds/2], bs[rounds/2], ratios[rounds/2]
}

// A neighbourhood is one tenant that sends many slow queries at once, and ten
// that send a short one now and then.
type neighbourhood struct {
	slow  int
	sleep string // seconds that a slow one takes
}

type outcome struct {
	quiet []time.Duration // what the short ones took, sorted
	took  time.Duration   // until all slow ones were done
}

func (o outcome) quantile(q float64) time.Duration { return o.quiet[int(q*float64(len(o.quiet)-1))] }

func (n neighbourhood) run(t *testing.T, db *sql.DB) (o outcome) {
	var noisy, quiet sync.WaitGroup
	var mu sync.Mutex
	over := make(chan struct{})
	begin := time.Now()
	for range n.slow {
		noisy.Go(func() {
			if _, err := db.ExecContext(as("noisy"), "SELECT pg_sleep("+n.sleep+")"); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range 10 {
		quiet.Go(func() {
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-over:
					tick.Stop()
					return
				case <-tick.C:
				}
				asked := time.Now()
				if err := db.QueryRowContext(as(fmt.Sprint("quiet-", i)), "SELECT 1").Scan(new(int)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				o.quiet = append(o.quiet, time.Since(asked))
				mu.Unlock()
			}
		})
	}
	noisy.Wait()
	o.took = time.Since(begin)
	close(over)
	quiet.Wait()
	slices.Sort(o.quiet)
	return o
}

// TestANoisyTenantDoesNotKeepTheOthersWaiting compares with a plain DB of as
// many connections, on the same server. With -figures it is large.
func TestANoisyTenantDoesNotKeepTheOthersWaiting(t *testing.T) {
	n, rounds := neighbourhood{slow: 200, sleep: "0.02"}, 1
	if *figures {
		n, rounds = neighbourhood{slow: 1000, sleep: "0.02"}, 3
	}
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	connector := overPostgres(t, server, "postgres", "postgres")
	plain := limited(t, sql.OpenDB(connector), 8)
	fair, _ := open(t, connector, sqlfair.Config{MaxOpenConns: 8})
	fill(t, fair, 8)
	for range rounds {
		p, f := n.run(t, plain), n.run(t, fair)
		t.Logf("%d slow ones, plain: p50 %v, p99 %v, of %d, all in %v", n.slow, p.quantile(.5), p.quantile(.99), len(p.quiet), p.took)
		t.Logf("%d slow ones, fair:  p50 %v, p99 %v, of %d, all in %v", n.slow, f.quantile(.5), f.quantile(.99), len(f.quiet), f.took)
		require.Less(t, f.quantile(.5), p.quantile(.5), "the median wait of the quiet tenants")
	}
}
