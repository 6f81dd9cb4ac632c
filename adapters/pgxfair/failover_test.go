package pgxfair_test

import (
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// fill opens n connections and returns their backends. They are idle then.
func fill(t *testing.T, db *pgxfair.Pool, n int) map[uint32]bool {
	t.Helper()
	pids := map[uint32]bool{}
	var held []*pgxfair.Conn
	for range n {
		c, err := db.Acquire(t.Context())
		require.NoError(t, err)
		pids[backend(t, c)] = true
		held = append(held, c)
	}
	for _, c := range held {
		c.Release()
	}
	require.Len(t, pids, n)
	return pids
}

func TestTheFirstConnectionThatIsShutDownRetiresAllOfItsTime(t *testing.T) {
	dsn := database(t)
	db := open(t, dsn)
	old, err := db.Acquire(t.Context())
	require.NoError(t, err)
	before := fill(t, db, 3)
	next := backend(t, db)
	terminate(t, dsn, next)
	_, err = db.Exec(t.Context(), "select 1")
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.Equal(t, "57P01", pg.Code)
	eventually(t, func() bool { return db.Stats().Retired[pool.Replaced] == 2 }, "the idle ones are left")

	after := fill(t, db, 3)
	for pid := range after {
		require.NotContains(t, before, pid)
	}
	terminate(t, dsn, backend(t, old))
	require.Error(t, old.Ping(t.Context()))
	old.Release()
	require.Contains(t, after, backend(t, db), "an old connection tells nothing about newer ones")
	require.EqualValues(t, 2, db.Stats().Retired[pool.Replaced])
}

func TestAServerMaySayItsEndInAnErrorOrInAWarning(t *testing.T) {
	for _, code := range []string{"57P01", "57P02", "57P03"} {
		for _, level := range []string{"warning", "exception"} {
			db := open(t, database(t))
			before := fill(t, db, 3)
			db.Exec(t.Context(), "do $$ begin raise "+level+" 'so long' using errcode = '"+code+"'; end $$")
			idle(t, db)
			require.EqualValues(t, 3, db.Stats().Retired[pool.Replaced], "%s as %s", code, level)
			require.NotContains(t, before, backend(t, db))
		}
	}
	db := open(t, database(t))
	before := fill(t, db, 3)
	_, err := db.Exec(t.Context(), "select 1/0")
	require.Error(t, err)
	require.Contains(t, before, backend(t, db), "not any error")
}

func TestAHijackedConnectionTellsNothingAboutThePool(t *testing.T) {
	dsn := database(t)
	db := open(t, dsn)
	c, err := db.Acquire(t.Context())
	require.NoError(t, err)
	mine := c.Hijack()
	defer mine.Close(t.Context())
	pids := fill(t, db, 2)
	terminate(t, dsn, backend(t, mine))
	require.Error(t, mine.Ping(t.Context()))
	require.Contains(t, pids, backend(t, db))
}

func TestARestartOfTheServerCostsOneCallAtMost(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	for name, change := range map[string]func(*pgxfair.Config){
		"as it is":                   func(*pgxfair.Config) {},
		"with the tenant in session": func(c *pgxfair.Config) { c.TenantSetting = "app.tenant" },
	} {
		for _, how := range []throwaway.Shutdown{throwaway.Fast, throwaway.Immediate} {
			db := open(t, server.URL("postgres"), change)
			before := fill(t, db, 4)
			require.NoError(t, server.Restart(t.Context(), how))
			failures := 0
			for range 12 {
				if _, err := db.Exec(t.Context(), "select 1"); err != nil {
					t.Logf("%s, %v: %v", name, how, err)
					failures++
				}
			}
			require.LessOrEqual(t, failures, 1)
			for pid := range fill(t, db, 4) {
				require.NotContains(t, before, pid)
			}
		}
	}
}

func TestAConnectionThatIsRefusedRetiresTheOthers(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	db := open(t, server.URL("postgres"))
	held, err := db.Acquire(t.Context())
	require.NoError(t, err)
	also, err := db.Acquire(t.Context())
	require.NoError(t, err)
	require.NoError(t, server.Stop(throwaway.Immediate))
	require.ErrorContains(t, db.Ping(t.Context()), "connection refused")
	held.Release()
	also.Release()
	eventually(t, func() bool { return db.Stats().Retired[pool.Replaced] == 2 && db.Stat().TotalConns() == 0 }, "they are kept")

	require.NoError(t, server.Start(t.Context()))
	eventually(t, func() bool { return db.Ping(t.Context()) == nil }, "no connection after the server is back")
	fill(t, db, 4)
}

func TestWhenAConnectionIsLostTheOthersAreCheckedBeforeTheirUse(t *testing.T) {
	dsn := database(t)
	for name, failures := range map[string]int{"": 1, "app.tenant": 0} { // there is a round trip before the caller's
		var valves <-chan *valve
		db := open(t, dsn, func(c *pgxfair.Config) {
			c.MaxConns, c.TenantSetting = 8, name
			valves = valved(c)
		})
		before := fill(t, db, 8)
		idle(t, db)
		for range 8 {
			(<-valves).Close() // without a word from the server
		}
		for range failures {
			require.Error(t, db.Ping(t.Context()))
		}
		require.NotContains(t, before, backend(t, db))
		fill(t, db, 8)
		require.EqualValues(t, 0, db.Stats().Retired[pool.Replaced], "that is no failover")
	}
}
