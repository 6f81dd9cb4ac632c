package pgxfair_test

import (
	"context"
	"errors"
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestAConnectionIsTheTenantsUntilItIsReleased(t *testing.T) {
	db := open(t, database(t))
	c, err := db.Acquire(fairshare.WithTenant(t.Context(), "acme"))
	require.NoError(t, err)
	require.Equal(t, "acme", c.Tenant())
	require.NotNil(t, c.Conn())
	require.NoError(t, c.Ping(t.Context()))
	tx, err := c.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	for h := range db.Holders() {
		require.Equal(t, "acme", h.Tenant)
	}
	c.Release()
	require.Empty(t, c.Tenant())
	require.Panics(t, func() { c.Conn() }, "somebody else may have it")
	require.Panics(t, func() { c.Hijack() })

	other, err := db.Tenant("umbrella").Acquire(fairshare.WithTenant(t.Context(), "acme"))
	require.NoError(t, err)
	require.Equal(t, "umbrella", other.Tenant(), "the handle is for one tenant, whatever ctx says")
	c.Release()
	require.Equal(t, "umbrella", other.Tenant(), "a second release does nothing to the next holder")
	other.Release()
	require.Equal(t, "umbrella", db.Tenant("umbrella").Name())
	known := map[string]bool{}
	for name := range db.Tenants() {
		known[name] = true
	}
	require.Contains(t, known, "acme")
}

func TestAHijackedConnectionIsTheCallers(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	c, err := db.Acquire(t.Context())
	require.NoError(t, err)
	conn := c.Hijack()
	defer conn.Close(context.Background())
	c.Release()
	mine := backend(t, conn)
	require.NotEqual(t, mine, backend(t, db), "the pool has room for another")
	require.EqualValues(t, 1, db.Stat().TotalConns())
	require.Equal(t, mine, backend(t, conn))
}

func TestAcquireFuncReturnsTheErrorOfEither(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	failed := errors.New("failed")
	err := db.AcquireFunc(t.Context(), func(c *pgxfair.Conn) error {
		require.NoError(t, c.Ping(t.Context()))
		return failed
	})
	require.Equal(t, failed, err)
	require.Panics(t, func() { db.AcquireFunc(t.Context(), func(*pgxfair.Conn) error { panic("f") }) })
	require.EqualValues(t, 0, db.Stat().AcquiredConns())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, db.AcquireFunc(gone, nil), context.Canceled)
}

func TestABrokenConnectionIsNotHandedOutAgain(t *testing.T) {
	dsn := database(t)
	for name, wreck := range map[string]func(c *pgxfair.Conn){
		"closed": func(c *pgxfair.Conn) { c.Conn().Close(t.Context()) },
		"busy": func(c *pgxfair.Conn) {
			_, err := c.Query(t.Context(), "select n from generate_series(1, 100000) n")
			require.NoError(t, err)
		},
		"in a transaction": func(c *pgxfair.Conn) {
			_, err := c.Exec(t.Context(), "begin")
			require.NoError(t, err)
		},
		"in a transaction that has failed": func(c *pgxfair.Conn) {
			_, err := c.Exec(t.Context(), "begin")
			require.NoError(t, err)
			_, err = c.Exec(t.Context(), "selekt")
			require.Error(t, err)
		},
		"cancelled": func(c *pgxfair.Conn) {
			ctx, cancel := context.WithCancel(t.Context())
			pid := c.Conn().PgConn().PID()
			go func() {
				defer cancel()
				sleeping(t, dsn, pid)
			}()
			_, err := c.Exec(ctx, "select pg_sleep(60)")
			require.ErrorIs(t, err, context.Canceled)
		},
		"terminated": func(c *pgxfair.Conn) {
			_, err := c.Exec(t.Context(), "select pg_terminate_backend(pg_backend_pid())")
			require.Error(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, dsn, func(c *pgxfair.Config) { c.MaxConns = 1 })
			c, err := db.Acquire(t.Context())
			require.NoError(t, err)
			before := backend(t, c)
			wreck(c)
			c.Release()
			require.NotEqual(t, before, backend(t, db))
			idle(t, db)
			require.EqualValues(t, 1, db.Stat().TotalConns(), "its place is free again")
		})
	}
}

func TestWhoCannotHaveAConnectionIsToldWhy(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns = 1
		c.Sharing.Tenants = map[string]fairshare.Share{"flood": {MaxWaiting: 1}}
	})
	held, err := db.Tenant("hog").Acquire(t.Context())
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := db.Tenant("flood").Exec(ctx, "select 1")
		failed <- err
	}()
	eventually(t, func() bool { return db.Stats().Waiting == 1 }, "nobody waits")
	_, err = db.Tenant("flood").Exec(t.Context(), "select 1")
	require.ErrorIs(t, err, pool.ErrQueueFull)
	_, err = db.Tenant("flood").CopyFrom(t.Context(), pgx.Identifier{"t"}, nil, nil)
	require.ErrorIs(t, err, pool.ErrQueueFull)
	_, err = db.Tenant("flood").Begin(t.Context())
	require.ErrorIs(t, err, pool.ErrQueueFull)
	require.ErrorIs(t, db.Tenant("flood").Ping(t.Context()), pool.ErrQueueFull)
	cancel()
	err = <-failed
	require.ErrorIs(t, err, context.Canceled)
	var why *pool.AcquireError
	require.ErrorAs(t, err, &why)
	require.Equal(t, fairshare.Saturated, why.Reason)
	require.Equal(t, []fairshare.Holding{{Tenant: "hog", Held: 1}}, why.Holders)
	require.EqualValues(t, 1, db.Stat().CanceledAcquireCount())

	require.NoError(t, db.SetShare("flood", fairshare.Share{Weight: 2}))
	require.NoError(t, db.Resize(0))
	held.Release()
	eventually(t, func() bool { return db.Stat().TotalConns() == 0 }, "a connection is left")
	require.NoError(t, db.Resize(1))
	db.Suspend()
	require.True(t, db.Stats().Suspended)
	db.Resume()
	require.NoError(t, db.Tenant("flood").Ping(t.Context()))
}

func TestCloseWaitsForTheConnectionsInUse(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
	c, err := db.Acquire(t.Context())
	require.NoError(t, err)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, db.Shutdown(gone), context.Canceled)
	closed := make(chan struct{})
	for range 2 {
		go func() {
			db.Close()
			closed <- struct{}{}
		}()
	}
	_, err = db.Exec(t.Context(), "select 1")
	require.ErrorIs(t, err, pool.ErrClosed)
	require.NoError(t, c.Ping(t.Context()), "it works until it is returned")
	select {
	case <-closed:
		require.Fail(t, "closed under the holder")
	default:
	}
	c.Release()
	<-closed
	<-closed
	require.EqualValues(t, 0, db.Stat().TotalConns())
}

func TestResetReplacesEveryConnection(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 2 })
	held, err := db.Acquire(t.Context())
	require.NoError(t, err)
	before := []uint32{backend(t, held), backend(t, db)}
	db.Reset()
	require.NoError(t, held.Ping(t.Context()), "one in use is replaced on return")
	held.Release()
	eventually(t, func() bool { return db.Stats().Destroying == 0 }, "not closed")
	require.EqualValues(t, 0, db.Stat().TotalConns())
	require.NotContains(t, before, backend(t, db))
}
