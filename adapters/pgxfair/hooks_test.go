package pgxfair_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

type key struct{}

func TestConnectionsAreMadeAsTheHooksSayOnAContextOfThePool(t *testing.T) {
	dsn := database(t)
	cfg, err := pgxfair.ParseConfig(dsn)
	require.NoError(t, err)
	cfg.MaxConns, cfg.MinIdleConns = 2, 2
	var seen atomic.Int32
	cfg.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) error {
		if ctx.Value(key{}) == "of New" {
			seen.Add(1)
		}
		c.RuntimeParams["application_name"] = "by BeforeConnect"
		return nil
	}
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		if ctx.Value(key{}) == "of New" {
			seen.Add(1)
		}
		_, err := c.Exec(ctx, "set app.after = 'by AfterConnect'")
		return err
	}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "of New"))
	cancel() // of no consequence
	db, err := pgxfair.NewWithConfig(ctx, cfg)
	require.NoError(t, err)
	defer db.Close()
	eventually(t, func() bool { return db.Stat().IdleConns() == 2 }, "MinIdleConns")
	require.EqualValues(t, 4, seen.Load())
	var name, after string
	require.NoError(t, db.QueryRow(t.Context(), "select current_setting('application_name'), current_setting('app.after')").Scan(&name, &after))
	require.Equal(t, "by BeforeConnect", name)
	require.Equal(t, "by AfterConnect", after)
	require.Equal(t, dsn, db.Config().ConnString())
	require.NotContains(t, db.Config().ConnConfig.RuntimeParams, "application_name")
}

func TestACallThatCannotConnectGetsTheError(t *testing.T) {
	dsn := database(t)
	for name, hook := range map[string]func(c *pgxfair.Config, err error){
		"BeforeConnect": func(c *pgxfair.Config, err error) {
			c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error { return err }
		},
		"AfterConnect": func(c *pgxfair.Config, err error) {
			c.AfterConnect = func(context.Context, *pgx.Conn) error { return err }
		},
		"AfterNetConnect": func(c *pgxfair.Config, err error) {
			c.ResetSession = pgxfair.ResetDirty
			c.ConnConfig.AfterNetConnect = func(context.Context, *pgconn.Config, net.Conn) (net.Conn, error) { return nil, err }
		},
	} {
		failed := errors.New("failed")
		db := open(t, dsn, func(c *pgxfair.Config) { hook(c, failed) })
		_, err := db.Acquire(t.Context())
		require.ErrorIs(t, err, failed, name)
		require.EqualValues(t, 0, db.Stat().TotalConns(), name)
	}
	db := open(t, as(t, dsn, "nobody"))
	var refused *pgconn.PgError
	require.ErrorAs(t, db.Ping(t.Context()), &refused)
	require.Equal(t, "28000", refused.Code)
}

func TestACallThatGivesUpDoesNotEndTheConnectionItSetOff(t *testing.T) {
	connecting, goOn := make(chan struct{}), make(chan struct{})
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns = 1
		c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error {
			close(connecting)
			<-goOn
			return nil
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- db.Ping(ctx) }()
	<-connecting
	require.EqualValues(t, 1, db.Stat().ConstructingConns())
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	close(goOn)
	require.NoError(t, db.Ping(t.Context()))
	require.EqualValues(t, 1, db.Stat().NewConnsCount())
}

func TestPrepareConnDecidesAboutEachAcquire(t *testing.T) {
	failed := errors.New("failed")
	var ok bool
	var err error
	var calls int
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns = 2
		//lint:ignore SA1019 pgxpool honours it too
		c.BeforeAcquire = func(context.Context, *pgx.Conn) bool { panic("PrepareConn takes precedence") }
		c.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
			calls++
			if calls == 1 && ctx.Value(key{}) == "first is unfit" {
				return false, nil
			}
			return ok, err
		}
	})
	ok, err = true, nil
	before := backend(t, db)

	ok, err = true, failed
	require.ErrorIs(t, db.Ping(t.Context()), failed)
	ok, err = true, nil
	require.Equal(t, before, backend(t, db), "the connection stays")

	ok, err = false, failed
	require.ErrorIs(t, db.Ping(t.Context()), failed)
	ok, err = true, nil
	second := backend(t, db)
	require.NotEqual(t, before, second, "the connection is closed")

	calls = 0
	ctx := context.WithValue(t.Context(), key{}, "first is unfit")
	require.NoError(t, db.Ping(ctx))
	require.Equal(t, 2, calls, "another one is tried")
	require.NotEqual(t, second, backend(t, db))

	ok, err = false, nil
	calls = 0
	require.ErrorContains(t, db.Ping(t.Context()), "every connection was unfit")
	require.Equal(t, 3, calls, "all that there may be and a new one")
}

func TestBeforeAcquireDecidesWhichConnectionIsFit(t *testing.T) {
	unfit := uint32(0)
	db := open(t, database(t), func(c *pgxfair.Config) {
		//lint:ignore SA1019 pgxpool honours it too
		c.BeforeAcquire = func(_ context.Context, conn *pgx.Conn) bool { return conn.PgConn().PID() != unfit }
	})
	unfit = backend(t, db)
	require.NotEqual(t, unfit, backend(t, db))
}

func TestAHookThatPanicsCostsTheConnectionAndNothingElse(t *testing.T) {
	panics := true
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns = 1
		c.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) {
			if panics {
				panic("PrepareConn")
			}
			return true, nil
		}
		c.AfterRelease = func(*pgx.Conn) bool { panic("AfterRelease") }
	})
	require.PanicsWithValue(t, "PrepareConn", func() { db.Ping(t.Context()) })
	panics = false
	one := backend(t, db)
	require.NotEqual(t, one, backend(t, db))
	idle(t, db)
	require.EqualValues(t, 2, db.Stats().ResetFailures)
}

func TestAfterReleaseDecidesWhetherAConnectionIsKept(t *testing.T) {
	var keep atomic.Bool
	keep.Store(true)
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns = 1
		c.AfterRelease = func(*pgx.Conn) bool { return keep.Load() }
	})
	before := backend(t, db)
	require.Equal(t, before, backend(t, db))
	idle(t, db) // the hook has seen it
	keep.Store(false)
	require.Equal(t, before, backend(t, db))
	require.NotEqual(t, before, backend(t, db))
}

func TestBeforeCloseSeesEachConnectionThatIsClosed(t *testing.T) {
	closed := make(chan uint32, 10)
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.BeforeClose = func(conn *pgx.Conn) { closed <- conn.PgConn().PID() }
	})
	pid := backend(t, db)
	db.Reset()
	require.Equal(t, pid, <-closed)
	pid = backend(t, db)
	db.Close()
	require.Equal(t, pid, <-closed)
}

// A valve is a network connection that can be shut: then what is written is
// lost, and no answer comes.
type valve struct {
	net.Conn
	shut atomic.Bool
}

func (v *valve) Write(b []byte) (int, error) {
	if v.shut.Load() {
		return len(b), nil
	}
	return v.Conn.Write(b)
}

// valved puts a valve into each connection of a pool.
func valved(c *pgxfair.Config) <-chan *valve {
	made := make(chan *valve, 100)
	c.ConnConfig.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
		v := &valve{Conn: conn}
		made <- v
		return v, nil
	}
	return made
}

func TestShouldPingDecidesWhatIsPinged(t *testing.T) {
	asked := 0
	var params pgxpool.ShouldPingParams
	ping := false
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns = 1
		c.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
			asked++
			params = p
			return ping
		}
	})
	pid := backend(t, db)
	asked = 0
	require.Equal(t, pid, backend(t, db))
	require.Equal(t, 1, asked)
	require.NotNil(t, params.Conn)
	require.Positive(t, params.IdleDuration)
	require.Less(t, params.IdleDuration, patience)

	terminate(t, db.Config().ConnString(), pid)
	require.Error(t, db.Ping(t.Context()), "it is not pinged")
	pid = backend(t, db)
	terminate(t, db.Config().ConnString(), pid)
	ping = true
	require.NoError(t, db.Ping(t.Context()), "it is pinged, and replaced")
	require.EqualValues(t, 1, db.Stats().Retired[pool.CheckFailed])
}

func TestAConnectionThatWasIdleForASecondIsPinged(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	pid := backend(t, db)
	terminate(t, db.Config().ConnString(), pid)
	time.Sleep(1100 * time.Millisecond) // as long as it is trusted
	require.NotEqual(t, pid, backend(t, db))
	require.EqualValues(t, 1, db.Stats().CheckFailures)
}

func TestIdleConnectionsAreCheckedInTheBackground(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.HealthCheckPeriod, c.MinIdleConns = 20*time.Millisecond, 1
	})
	pid := backend(t, db)
	terminate(t, db.Config().ConnString(), pid)
	eventually(t, func() bool { return db.Stats().CheckFailures == 1 && db.Stat().IdleConns() == 1 }, "not noticed")
	require.NotEqual(t, pid, backend(t, db))
}

func TestAPingThatHangsEndsWithItsTimeout(t *testing.T) {
	var valves <-chan *valve
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns, c.PingTimeout = 2, 50*time.Millisecond
		c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return true }
		valves = valved(c)
	})
	pid := backend(t, db)
	hung := <-valves
	hung.shut.Store(true)
	defer hung.Close() // or pgx waits for 15 seconds to part from it
	require.NotEqual(t, pid, backend(t, db))
	require.EqualValues(t, 1, db.Stats().CheckFailures)
}

func TestACallThatGivesUpDuringAPingKeepsTheConnection(t *testing.T) {
	pinging, goOn := make(chan struct{}), make(chan struct{})
	var stall atomic.Bool
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns = 1
		c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool {
			if stall.CompareAndSwap(true, false) {
				pinging <- struct{}{}
				<-goOn
			}
			return true
		}
	})
	pid := backend(t, db)
	stall.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- db.Ping(ctx) }()
	<-pinging
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	close(goOn)
	require.Equal(t, pid, backend(t, db))
}

func TestConnectionsAreReplacedWhenTheyAreOld(t *testing.T) {
	dsn := database(t)
	db := open(t, dsn, func(c *pgxfair.Config) {
		c.MaxConns, c.MaxConnLifetime, c.MaxConnLifetimeJitter = 1, 50*time.Millisecond, time.Millisecond
	})
	c, err := db.Acquire(t.Context())
	require.NoError(t, err)
	pid := backend(t, c)
	time.Sleep(60 * time.Millisecond)
	require.NoError(t, c.Ping(t.Context()), "not under its holder")
	c.Release()
	require.NotEqual(t, pid, backend(t, db))
	eventually(t, func() bool { return db.Stat().MaxLifetimeDestroyCount() == 2 && db.Stat().TotalConns() == 0 }, "it is left")

	db = open(t, dsn, func(c *pgxfair.Config) { c.MaxConnIdleTime, c.MinIdleConns = 50*time.Millisecond, 1 })
	var held []*pgxfair.Conn
	for range 3 {
		c, err := db.Acquire(t.Context())
		require.NoError(t, err)
		held = append(held, c)
	}
	for _, c := range held {
		c.Release()
	}
	eventually(t, func() bool { return db.Stat().TotalConns() == 1 }, "MinIdleConns are left")
	require.GreaterOrEqual(t, db.Stat().MaxIdleDestroyCount(), int64(2))

	for _, unlimited := range []func(c *pgxfair.Config){
		func(c *pgxfair.Config) { c.MaxConnLifetime, c.MaxConnLifetimeJitter = 0, time.Second },
		func(c *pgxfair.Config) { c.MaxConnIdleTime = 0 },
	} {
		db = open(t, dsn, unlimited)
		require.Equal(t, backend(t, db), backend(t, db))
	}
}

func TestMinConnsAreKept(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MinConns = 3 })
	eventually(t, func() bool { return db.Stat().IdleConns() == 3 }, "not made")
	db.Reset()
	eventually(t, func() bool { return db.Stat().IdleConns() == 3 && db.Stat().NewConnsCount() == 6 }, "not made again")
}
