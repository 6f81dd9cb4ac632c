package pgxfair_test

import (
	"context"
	"strings"
	"testing"
	"time"

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

func TestALoneConnectionThatIsShutDownHasTheOthersChecked(t *testing.T) {
	dsn := database(t)
	for _, tenant := range []string{"", "own"} {
		db := open(t, dsn)
		before := fill(t, db, 4)
		idle(t, db)
		for range 3 { // a tenant may end its own as often as it likes
			_, err := db.Tenant(tenant).Exec(t.Context(), "select pg_terminate_backend(pg_backend_pid())")
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg)
			require.Equal(t, "57P01", pg.Code)
			idle(t, db)
		}
		require.EqualValues(t, 0, db.Stats().Retired[pool.Replaced])
		kept := 0
		for pid := range fill(t, db, 4) {
			if before[pid] {
				kept++
			}
		}
		require.GreaterOrEqual(t, kept, 1)
		require.LessOrEqual(t, db.Stat().NewConnsCount(), int64(4+3), "one for each that was lost")
	}
}

func TestConnectionsOfSeveralThatAreShutDownRetireAllOfTheirTime(t *testing.T) {
	dsn := database(t)
	for name, setting := range map[string]string{"in use": "", "in use, bound": "app.tenant", "idle": "", "idle, bound": "app.tenant"} {
		for !severalAreShutDown(t, dsn, name, setting) {
			t.Logf("%s: once more, the losses were noticed too far apart", name)
		}
	}
}

// severalAreShutDown reports whether both losses were noticed within so short a time that
// they have to have one cause. A machine with other work may take longer.
func severalAreShutDown(t *testing.T, dsn, name, setting string) bool {
	inUse := strings.HasPrefix(name, "in use")
	db := open(t, dsn, func(c *pgxfair.Config) { c.MaxConns, c.TenantSetting = 6, setting })
	before := fill(t, db, 6)
	var held []*pgxfair.Conn
	for i := range 2 {
		c, err := db.Tenant(nameOf(i)).Acquire(t.Context())
		require.NoError(t, err)
		held = append(held, c)
	}
	pids := []uint32{backend(t, held[0]), backend(t, held[1])}
	begin := time.Now()
	for i, c := range held {
		terminate(t, dsn, pids[i])
		if !inUse {
			c.Release()
		}
	}
	for i, c := range held {
		if inUse {
			require.Error(t, c.Ping(t.Context()))
			c.Release()
		} else {
			db.Tenant(nameOf(i)).Exec(t.Context(), "select 1")
		}
	}
	idle(t, db)
	if time.Since(begin) > pgxfair.AMoment && db.Stats().Retired[pool.Replaced] < 3 {
		return false
	}
	eventually(t, func() bool { return db.Stats().Retired[pool.Replaced] >= 3 }, "%s: the others are left: %v", name, db.Stats().Retired)
	for pid := range fill(t, db, 6) {
		require.NotContains(t, before, pid, name)
	}
	return true
}

func TestAServerMaySayItsEndInAnErrorOrInAWarning(t *testing.T) {
	for _, code := range []string{"57P02", "57P03"} {
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
	for _, harmless := range []string{"select 1/0", "do $$ begin raise 'so long' using errcode = '57P01'; end $$"} {
		_, err := db.Exec(t.Context(), harmless)
		require.Error(t, err)
		require.Contains(t, before, backend(t, db), harmless)
	}
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

func TestAnIdleConnectionThatGoesSilentDelaysNobodyForLong(t *testing.T) {
	for _, conns := range []int32{1, 4} {
		var valves <-chan *valve
		db := open(t, database(t), func(c *pgxfair.Config) {
			c.MaxConns, c.PingTimeout = conns, 300*time.Millisecond
			valves = valved(c)
		})
		fill(t, db, int(conns))
		idle(t, db)
		require.NoError(t, db.AcquireFunc(t.Context(), func(c *pgxfair.Conn) error { return c.Conn().Close(t.Context()) }))
		for range conns {
			(<-valves).shut.Store(true) // no word goes in or out any more
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		require.NoError(t, db.Ping(ctx), "new ones are made")
		cancel()
		eventually(t, func() bool { return db.Stats().Leased == 0 }, "the silent ones are kept")
		fill(t, db, int(conns))
	}
}

func TestACallerThatGivesUpLeavesThePingBehind(t *testing.T) {
	var valves <-chan *valve
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns, c.PingTimeout = 2, patience
		valves = valved(c)
	})
	fill(t, db, 2)
	idle(t, db)
	require.NoError(t, db.AcquireFunc(t.Context(), func(c *pgxfair.Conn) error { return c.Conn().Close(t.Context()) }))
	first, second := <-valves, <-valves
	first.shut.Store(true)
	second.shut.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, db.Ping(ctx), context.DeadlineExceeded)
	first.shut.Store(false)
	second.shut.Store(false)
	fill(t, db, 2)
}

func TestTheEndOfASilentConnectionHoldsItsPlaceForAMomentOnly(t *testing.T) {
	var valves <-chan *valve
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns = 1
		valves = valved(c)
	})
	for _, hold := range []func(c *pgxfair.Conn){
		func(*pgxfair.Conn) {},
		func(c *pgxfair.Conn) { // its query is cancelled
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err := c.Exec(ctx, "select pg_sleep(1000)")
			require.Error(t, err)
		},
	} {
		c, err := db.Acquire(t.Context())
		require.NoError(t, err)
		(<-valves).shut.Store(true)
		hold(c)
		c.Release()
		db.Reset()
		start := time.Now()
		require.NoError(t, db.Ping(t.Context()))
		require.Less(t, time.Since(start), 12*time.Second, "pgx takes fifteen seconds for it")
		db.Reset()
		for len(valves) > 0 {
			<-valves
		}
		idle(t, db)
	}
}
