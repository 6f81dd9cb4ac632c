package sqlfair_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func openConns(t *testing.T, f *fake, n int) (*sql.DB, *pool.Pool[*sql.Conn]) {
	db := sql.OpenDB(f)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	conns, err := sqlfair.Conns(db, pool.Config[*sql.Conn]{})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, conns.Shutdown(ctx))
		require.Zero(t, db.Stats().InUse)
	})
	return db, conns
}

func TestConnsKeepTheirConnectionsInTheDB(t *testing.T) {
	f := everything(&fake{})
	db, conns := openConns(t, f, 2)
	require.Equal(t, 2, conns.Stats().Capacity, "that of the DB")
	for range 10 {
		require.NoError(t, conns.Do(context.Background(), "a", func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "insert")
			return err
		}))
		wait(t, "it is back", func() bool { return conns.Stats().Destroying == 0 })
	}
	require.Equal(t, 1, f.made())
	require.Equal(t, 1, db.Stats().Idle)
	require.Contains(t, f.wrote(), "reset")
}

// A holder that forgets its transaction keeps its place, and the next gets
// another connection.
func TestATransactionLeftOpenOnAConnIsNotMetByTheNext(t *testing.T) {
	f := everything(&fake{})
	_, conns := openConns(t, f, 2)
	l, err := conns.Acquire(context.Background(), "a")
	require.NoError(t, err)
	tx, err := l.Value().BeginTx(context.Background(), nil)
	require.NoError(t, err)
	l.Release()
	for range 5 {
		require.NoError(t, conns.Do(context.Background(), "b", func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "insert")
			return err
		}))
	}
	require.Equal(t, 2, f.made())
	wait(t, "only a's is left", func() bool { return conns.Stats().Destroying == 1 })
	require.NoError(t, tx.Rollback())
	wait(t, "it is over", func() bool { return conns.Stats().Destroying == 0 })
}

func TestAConnMayBeThrownAway(t *testing.T) {
	f := everything(&fake{})
	_, conns := openConns(t, f, 1)
	broken := errors.New("broken")
	for range 2 {
		require.ErrorIs(t, conns.Do(context.Background(), "a", func(ctx context.Context, c *sql.Conn) error {
			c.Raw(func(any) error { return errors.Join(broken, driver.ErrBadConn) })
			return broken
		}), broken)
	}
	require.Equal(t, 2, f.made())
}

func TestConnsRefuseWhatCannotWork(t *testing.T) {
	db := sql.OpenDB(&fake{})
	defer db.Close()
	for want, cfg := range map[string]pool.Config[*sql.Conn]{
		"MaxSize is 0":                   {},
		"Config.Age.MaxUses is 3":        {MaxSize: 1, Age: pool.Age{MaxUses: 3}},
		"Constructor or Config.Destruct": {MaxSize: 1, Destructor: func(*sql.Conn) {}},
		"Age.MaxIdleTime is -1s":         {MaxSize: 1, Age: pool.Age{MaxIdleTime: -time.Second}},
	} {
		require.ErrorContains(t, second(sqlfair.Conns(db, cfg)), want)
	}
	db.SetMaxOpenConns(4)
	require.ErrorContains(t, second(sqlfair.Conns(db, pool.Config[*sql.Conn]{MaxSize: 5})),
		"sqlfair: Config.MaxSize is 5, more than the MaxOpenConns of db, 4")
	require.ErrorContains(t, second(sqlfair.Conns(nil, pool.Config[*sql.Conn]{})), "sqlfair: db is nil")
}
