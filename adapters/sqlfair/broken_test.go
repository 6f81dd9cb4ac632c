package sqlfair_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// everything is a connection with all interfaces.
func everything(f *fake) *fake {
	f.make = connections["everything"]
	return f
}

// fill has n connections be idle.
func fill(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	var held []*sql.Conn
	for range n {
		c, err := db.Conn(as("filler"))
		require.NoError(t, err)
		held = append(held, c)
	}
	for _, c := range held {
		require.NoError(t, c.Close())
	}
}

// pingAll uses n connections at once, whether they live or not.
func pingAll(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	var held []*sql.Conn
	for range n {
		c, err := db.Conn(as("filler"))
		require.NoError(t, err)
		held = append(held, c)
	}
	for _, c := range held {
		_ = c.PingContext(as("filler"))
		_ = c.Close()
	}
}

func TestAQueryOutlivesARestartThatBreaksEveryConnection(t *testing.T) {
	const n = 24 // more than three Binds of three attempts meet
	configs := map[string]sqlfair.Config{
		"": {MaxOpenConns: n},
		"with Bind": {MaxOpenConns: n, Tenancy: sqlfair.Tenancy{Bind: func(ctx context.Context, c *sql.Conn, tenant string) error {
			_, err := c.ExecContext(ctx, "bind")
			return err
		}}},
	}
	for name, cfg := range configs {
		t.Run(name, func(t *testing.T) {
			var restarted atomic.Bool
			f := everything(&fake{})
			f.on = func(c *fakeConn, call string) error {
				// The driver finds out only when it has something to send.
				if restarted.Load() && c.id < n && call != "reset" && call != "valid?" && call != "close" {
					return driver.ErrBadConn
				}
				return nil
			}
			db, pool := open(t, f, cfg)
			fill(t, db, n)
			require.Equal(t, n, f.made())
			restarted.Store(true)
			_, err := db.ExecContext(as("a"), "insert")
			require.NoError(t, err)
			wait(t, "the broken ones are closed", func() bool { return pool.Stats().Destroying == 0 })
			for range n {
				_, err := db.ExecContext(as("a"), "insert")
				require.NoError(t, err)
			}
		})
	}
}

func TestOneBrokenConnectionHasTheOthersPingedOnce(t *testing.T) {
	var broken atomic.Bool
	f := everything(&fake{})
	f.on = func(c *fakeConn, call string) error {
		if strings.HasPrefix(call, "exec") && broken.CompareAndSwap(true, false) {
			return driver.ErrBadConn
		}
		return nil
	}
	db, _ := open(t, f, sqlfair.Config{MaxOpenConns: 4})
	fill(t, db, 4)
	broken.Store(true)
	for range 10 {
		_, err := db.ExecContext(as("a"), "insert")
		require.NoError(t, err)
	}
	pings := 0
	for _, call := range f.wrote() {
		if call == "ping" {
			pings++
		}
	}
	require.Equal(t, 1, pings, "the one that was used next, once")
	fill(t, db, 4)
	require.Equal(t, 5, f.made(), "the others were well")
}

func TestAConnectionIsKeptExactlyIfDatabaseSQLWouldKeepIt(t *testing.T) {
	boom := errors.New("boom")
	only := func(want string, err error) func(*fakeConn, string) error {
		return func(c *fakeConn, call string) error {
			if strings.HasPrefix(call, want) {
				return err
			}
			return nil
		}
	}
	exec := func(t *testing.T, db *sql.DB) {
		db.ExecContext(as("a"), "insert")
	}
	endTx := func(t *testing.T, db *sql.DB) {
		ctx, cancel := context.WithCancel(as("a"))
		_, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		cancel()
		wait(t, "it is rolled back", func() bool { return db.Stats().InUse == 0 })
	}
	for _, test := range []struct {
		name string
		has  string
		on   func(*fakeConn, string) error
		use  func(*testing.T, *sql.DB)
		kept bool
	}{
		{"after an Exec", "nothing", nil, exec, true},
		{"after an error", "everything", only("exec", boom), exec, true},
		{"after an error and a failed reset", "everything", only("", boom), exec, false},
		{"after ErrBadConn", "everything", only("exec", driver.ErrBadConn), exec, false},
		{"after a wrapped ErrBadConn", "everything", only("exec", errors.Join(boom, driver.ErrBadConn)), exec, false},
		{"that is not valid", "everything", only("valid?", boom), exec, false},
		{"after a Commit", "nothing", nil, func(t *testing.T, db *sql.DB) {
			tx, err := db.BeginTx(as("a"), nil)
			require.NoError(t, err)
			require.NoError(t, tx.Commit())
		}, true},
		{"after the end of a Tx by context", "exec, query, reset", nil, endTx, false},
		{"after the end of a Tx by context, that can be reset", "everything", nil, endTx, true},
		{"after Raw", "everything", nil, func(t *testing.T, db *sql.DB) {
			c, err := db.Conn(as("a"))
			require.NoError(t, err)
			require.ErrorIs(t, c.Raw(func(any) error { return boom }), boom)
			require.NoError(t, c.Close())
		}, true},
		{"after Raw with ErrBadConn", "everything", nil, func(t *testing.T, db *sql.DB) {
			c, err := db.Conn(as("a"))
			require.NoError(t, err)
			require.Error(t, c.Raw(func(any) error { return driver.ErrBadConn }))
		}, false},
		{"that its user has closed", "everything", nil, func(t *testing.T, db *sql.DB) {
			c, err := db.Conn(as("a"))
			require.NoError(t, err)
			require.NoError(t, c.Raw(func(dc any) error { return dc.(driver.Conn).Close() }))
			_, err = c.ExecContext(as("a"), "insert")
			require.ErrorIs(t, err, driver.ErrBadConn)
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			// As things are with a plain DB.
			plain := &fake{make: connections[test.has], on: test.on}
			db := sql.OpenDB(plain)
			defer db.Close()
			fill(t, db, 1)
			if test.name != "that its user has closed" && test.name != "after an error and a failed reset" {
				test.use(t, db)
				require.Equal(t, test.kept, plain.open() > 0 && plain.made() == 1, "plain")
			}

			f := &fake{make: connections[test.has], on: test.on}
			fair, pool := open(t, f, sqlfair.Config{MaxOpenConns: 1})
			fill(t, fair, 1)
			test.use(t, fair)
			wait(t, "it is over", func() bool { return pool.Stats().InUse == 0 && pool.Stats().Destroying == 0 })
			require.Equal(t, test.kept, f.open() == 1 && f.made() == 1)
		})
	}
}

func TestAConnectionIsResetBeforeItsNextUseAndNotBeforeItsFirst(t *testing.T) {
	f := everything(&fake{})
	bind := func(ctx context.Context, c *sql.Conn, tenant string) error {
		_, err := c.ExecContext(ctx, "bind "+tenant)
		return err
	}
	db, pool := open(t, f, sqlfair.Config{MaxOpenConns: 1, Tenancy: sqlfair.Tenancy{
		Bind: bind,
		Reset: func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "wipe")
			return err
		},
	}})
	for _, tenant := range []string{"a", "b"} {
		_, err := db.ExecContext(as(tenant), "insert")
		require.NoError(t, err)
		wait(t, "it is wiped", func() bool { return pool.Stats().Resetting == 0 })
	}
	require.Equal(t, []string{
		"exec bind a []", "exec insert []", "valid?", "exec wipe []",
		"reset", "exec bind b []", "exec insert []", "valid?", "exec wipe []",
	}, f.wrote())
}

func TestAConnectionThatCannotBeResetIsReplacedUnseen(t *testing.T) {
	f := everything(&fake{})
	f.on = func(c *fakeConn, call string) error {
		if call == "reset" && c.id < 3 {
			return errors.New("cannot")
		}
		return nil
	}
	db, pool := open(t, f, sqlfair.Config{MaxOpenConns: 3})
	fill(t, db, 3)
	for range 5 {
		_, err := db.ExecContext(as("a"), "insert")
		require.NoError(t, err)
	}
	require.Equal(t, 4, f.made())
	wait(t, "the three are closed", func() bool { return pool.Stats().Destroyed == 3 })
}

// A cancelled query often leaves a connection broken. That is found when it
// returns: whoever is next does not pay for it.
func TestACancelledQueryDoesNotLeaveItsConnectionToTheNext(t *testing.T) {
	f := everything(&fake{})
	var spoilt atomic.Bool
	f.on = func(c *fakeConn, call string) error {
		if call == "reset" && c.id == 0 && spoilt.Load() {
			return driver.ErrBadConn
		}
		return nil
	}
	db, pool := open(t, f, sqlfair.Config{MaxOpenConns: 1})
	ctx, cancel := context.WithCancel(as("a"))
	rows, err := db.QueryContext(ctx, "select")
	require.NoError(t, err)
	require.True(t, rows.Next())
	spoilt.Store(true)
	cancel()
	wait(t, "it is closed", func() bool { return f.open() == 0 })
	require.False(t, rows.Next())
	require.EqualValues(t, 1, pool.Stats().Retired["destroyed"], "by its holder")
	require.NoError(t, db.PingContext(as("b")))
	require.Equal(t, 2, f.made())
}

func TestRevokeRefusesFurtherCallsAndClosesNothingInUse(t *testing.T) {
	t.Parallel() // the grace of a pool is ten seconds
	f := everything(&fake{})
	db, p := open(t, f, sqlfair.Config{MaxOpenConns: 2})
	c, err := db.Conn(as("a"))
	require.NoError(t, err)
	require.Equal(t, 1, p.Revoke(nil, func(h pool.Holder) bool { return h.Tenant == "a" }))
	_, err = c.ExecContext(as("a"), "insert")
	require.NoError(t, err, "it has its grace")
	wait(t, "its grace is over", func() bool {
		_, err := c.ExecContext(as("a"), "insert")
		return errors.Is(err, pool.ErrRevoked)
	})
	require.Equal(t, 1, f.open(), "it is not closed under its user")
	require.NoError(t, c.Close())
	wait(t, "it is closed", func() bool { return f.open() == 0 })
}

func TestAnIdleConnectionIsPingedAndReplacedInTheBackground(t *testing.T) {
	f := everything(&fake{})
	f.on = func(c *fakeConn, call string) error {
		if call == "ping" && c.id == 0 {
			return errors.New("gone")
		}
		return nil
	}
	cfg := sqlfair.Config{MaxOpenConns: 1, KeepAlive: time.Millisecond}
	cfg.Sizes.MinIdle = 1
	open(t, f, cfg)
	wait(t, "there is another", func() bool { return f.made() > 1 && f.open() == 1 })
}
