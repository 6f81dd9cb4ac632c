package sqlfair_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestAWrongConfigIsAnErrorThatNamesFieldAndValue(t *testing.T) {
	for _, test := range []struct {
		cfg  sqlfair.Config
		want string
	}{
		{sqlfair.Config{}, "sqlfair: Config.MaxOpenConns is 0"},
		{sqlfair.Config{MaxOpenConns: -3}, "sqlfair: Config.MaxOpenConns is -3"},
		{sqlfair.Config{MaxOpenConns: 4, Sharing: fairshare.Config{Capacity: 5}}, "sqlfair: Config.Sharing.Capacity is 5, more than the MaxOpenConns of 4"},
		{sqlfair.Config{MaxOpenConns: 4, PreparedStatements: -1}, "sqlfair: Config.PreparedStatements is -1"},
		{sqlfair.Config{MaxOpenConns: 4, ConnectTimeout: -time.Second}, "sqlfair: Config.ConnectTimeout is -1s"},
		{sqlfair.Config{MaxOpenConns: 4, KeepAlive: -time.Second}, "sqlfair: Config.KeepAlive is -1s"},
		{sqlfair.Config{MaxOpenConns: 4, ConnectTimeout: 30}, "sqlfair: Config.ConnectTimeout is 30ns, must be at least 1ms; for seconds write 30*time.Second"},
		{sqlfair.Config{MaxOpenConns: 4, KeepAlive: 30}, "sqlfair: Config.KeepAlive is 30ns, must be at least 1ms"},
		{sqlfair.Config{MaxOpenConns: 4, LeakAfter: 30}, "sqlfair: Config.LeakAfter is 30ns, must be at least 1ms"},
		{sqlfair.Config{MaxOpenConns: 4, Age: pool.Age{MaxLifetime: 1800}}, "Config.Age.MaxLifetime is 1.8µs, must be at least 1ms"},
		{sqlfair.Config{MaxOpenConns: 4, LeakAfter: -time.Second}, "sqlfair: Config.LeakAfter is -1s"},
		{sqlfair.Config{MaxOpenConns: 4, Tenancy: sqlfair.Tenancy{BindTimeout: -1}}, "sqlfair: Config.Tenancy.BindTimeout is -1ns"},
		{sqlfair.Config{MaxOpenConns: 4, Tenancy: sqlfair.Tenancy{BindTimeout: time.Second}}, "sqlfair: Config.Tenancy.BindTimeout is 1s without a Bind"},
		{sqlfair.Config{MaxOpenConns: 4, Tenancy: sqlfair.Tenancy{ResetTimeout: time.Second}}, "sqlfair: Config.Tenancy.ResetTimeout is 1s without a Reset"},
		{sqlfair.Config{MaxOpenConns: 4, Tenancy: sqlfair.Tenancy{Isolation: 7}}, "Config.Tenancy.Isolation is 7"},
		{sqlfair.Config{MaxOpenConns: 4, Sizes: pool.Sizes{MinIdle: -2}}, "Config.Sizes.MinIdle is -2"},
		{sqlfair.Config{MaxOpenConns: 4, Age: pool.Age{MaxUses: -2}}, "Config.Age.MaxUses is -2"},
	} {
		_, _, err := sqlfair.Open(&fake{}, test.cfg)
		require.ErrorContains(t, err, test.want)
	}
	_, _, err := sqlfair.Open(nil, sqlfair.Config{})
	require.ErrorContains(t, err, "sqlfair: the connector is nil")
	require.ErrorContains(t, err, "sqlfair: Config.MaxOpenConns is 0", "all that is wrong is told at once")
}

func TestATenantThatIsNotAdmittedNeitherWaitsNorCostsAConnection(t *testing.T) {
	unknown := errors.New("no such tenant")
	f := &fake{}
	db, p := open(t, f, sqlfair.Config{MaxOpenConns: 1, Tenancy: sqlfair.Tenancy{
		Admit: func(tenant string) error {
			if tenant != "known" {
				return unknown
			}
			return nil
		},
	}})
	held, err := db.Conn(as("known"))
	require.NoError(t, err)
	for _, ctx := range []context.Context{as("stranger"), context.Background()} {
		require.ErrorIs(t, db.PingContext(ctx), unknown)
	}
	require.NoError(t, held.Close())
	require.Equal(t, 1, f.made())
	require.EqualValues(t, 1, p.Stats().Acquired)
}

func TestAFailedBindNeverReachesTheCallerAndLosesNothing(t *testing.T) {
	refused := errors.New("refused")
	for name, bind := range map[string]func() error{
		"error": func() error { return refused },
		"panic": func() error { panic(refused) },
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			failing := true
			db, p := open(t, f, sqlfair.Config{MaxOpenConns: 2, Tenancy: sqlfair.Tenancy{
				Bind: func(context.Context, *sql.Conn, string) error {
					if failing {
						return bind()
					}
					return nil
				},
			}})
			_, err := db.ExecContext(as("a"), "insert")
			var why *pool.AcquireError
			require.ErrorAs(t, err, &why)
			require.Equal(t, fairshare.NotPrepared, why.Reason)
			require.ErrorContains(t, err, "refused")
			require.NotContains(t, f.wrote(), "exec insert []")
			wait(t, "they are closed", func() bool { return f.open() == 0 })
			failing = false
			wait(t, "the tenant is served again", func() bool {
				_, err = db.ExecContext(as("a"), "insert")
				return err == nil
			})
			require.EqualValues(t, 3, p.Stats().PrepareFailures)
		})
	}
}

func TestAHookThatHangsIsLeftBehindAndItsConnectionClosedAfterwards(t *testing.T) {
	f := &fake{}
	over := make(chan struct{})
	db, p := open(t, f, sqlfair.Config{MaxOpenConns: 2, Tenancy: sqlfair.Tenancy{
		Reset: func(ctx context.Context, c *sql.Conn) error {
			<-over
			return c.PingContext(context.Background()) // would panic on a closed one
		},
		ResetTimeout: time.Millisecond,
	}})
	_, err := db.ExecContext(as("a"), "insert")
	require.NoError(t, err)
	wait(t, "it is given up", func() bool { return p.Stats().ResetFailures == 1 })
	require.Equal(t, 1, f.open(), "but not closed under the hook")
	require.NoError(t, db.PingContext(as("b")))
	close(over)
	wait(t, "it is closed", func() bool { return p.Stats().Destroyed >= 1 })
}

func TestALeakIsReportedWithTheStackOfTheQuery(t *testing.T) {
	leaks := make(chan pool.Leak, 10)
	cfg := sqlfair.Config{MaxOpenConns: 2, LeakAfter: time.Millisecond}
	cfg.Trace.Leak = func(l pool.Leak) { leaks <- l }
	db, _ := open(t, &fake{}, cfg)
	rows, err := db.QueryContext(as("forgetful"), "select")
	require.NoError(t, err)
	leak := <-leaks
	require.Equal(t, "forgetful", leak.Tenant)
	require.Contains(t, leak.Stack, "TestALeakIsReportedWithTheStackOfTheQuery")
	require.False(t, leak.Returned)
	require.NoError(t, rows.Close())
	require.True(t, (<-leaks).Returned)
}

func TestADedicatedConnectionServesNoSecondTenant(t *testing.T) {
	b := newBound()
	cfg := sqlfair.Config{MaxOpenConns: 2}
	cfg.Tenancy.Isolation = pool.Dedicated
	db, _ := open(t, b, cfg)
	for _, tenant := range []string{"a", "b", "a", "b", "c", "a"} {
		c, err := db.Conn(as(tenant))
		require.NoError(t, err)
		require.NoError(t, c.Raw(func(dc any) error {
			inner := sqlfair.Unwrap(dc).(full).fakeConn
			b.mu.Lock()
			defer b.mu.Unlock()
			if first, ok := b.to[inner]; ok {
				require.Equal(t, first, tenant)
			}
			b.to[inner] = tenant
			return nil
		}))
		require.NoError(t, c.Close())
	}
	require.Equal(t, 4, b.made())
}

type closer struct {
	*fake
	closed bool
}

func (c *closer) Close() error {
	c.closed = true
	return errors.New("closed last")
}

func TestClosingTheDBClosesConnectionsAndConnector(t *testing.T) {
	c := &closer{fake: &fake{}}
	db, p, err := sqlfair.Open(c, sqlfair.Config{MaxOpenConns: 3})
	require.NoError(t, err)
	require.Same(t, c.fake, db.Driver())
	fill(t, db, 2)
	held, err := db.Conn(as("a"))
	require.NoError(t, err)
	late := make(chan error)
	two, err := db.Conn(as("a"))
	require.NoError(t, err)
	three, err := db.Conn(as("a"))
	require.NoError(t, err)
	go func() { late <- db.PingContext(as("b")) }()
	wait(t, "b waits", func() bool { return p.Stats().Waiting == 1 })
	require.NoError(t, two.Close())
	require.NoError(t, <-late)
	go func() { late <- second(three.PingContext(as("a")), db.PingContext(as("b"))) }()
	require.NoError(t, <-late)

	require.ErrorContains(t, db.Close(), "closed last")
	require.True(t, c.closed)
	require.ErrorIs(t, second(p.Acquire(context.Background(), "a")), pool.ErrClosed)
	require.NoError(t, held.Close())
	require.NoError(t, three.Close())
	require.NoError(t, p.Shutdown(context.Background()))
	require.Zero(t, c.open())
}

func TestThePoolLeasesConnectionsOfTheDriver(t *testing.T) {
	db, p := open(t, &fake{}, sqlfair.Config{MaxOpenConns: 1})
	l, err := p.Acquire(as("a"), "")
	require.NoError(t, err)
	require.IsType(t, full{}, sqlfair.Unwrap(l.Value()))
	l.Release()
	require.NoError(t, db.PingContext(as("a")))
	require.Equal(t, 7, sqlfair.Unwrap(7), "what it does not know it returns")
}

func TestCapacityAndSharesChangeWhileQueriesRun(t *testing.T) {
	db, p := open(t, &fake{}, sqlfair.Config{MaxOpenConns: 4})
	fill(t, db, 4)
	require.NoError(t, p.Resize(0))
	ctx, cancel := context.WithTimeout(as("a"), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, db.PingContext(ctx), context.DeadlineExceeded)
	require.NoError(t, p.Resize(2))
	require.NoError(t, p.SetShare("a", fairshare.Share{Max: 1}))
	c, err := db.Conn(as("a"))
	require.NoError(t, err)
	ctx, cancel = context.WithTimeout(as("a"), 10*time.Millisecond)
	defer cancel()
	var why *pool.AcquireError
	require.ErrorAs(t, db.PingContext(ctx), &why)
	require.Equal(t, fairshare.AtCap, why.Reason)
	require.NoError(t, db.PingContext(as("b")))
	require.NoError(t, c.Close())
}

func TestAQueryWithoutATenantFailsAtOnceWhereOneIsRequired(t *testing.T) {
	f := &fake{}
	db, p := open(t, f, sqlfair.Config{MaxOpenConns: 1, Sharing: fairshare.Config{RequireTenant: true}})
	require.ErrorIs(t, db.Ping(), pool.ErrNoTenant)
	_, err := db.Query("select 1")
	require.ErrorIs(t, err, pool.ErrNoTenant)
	require.Zero(t, f.made())
	require.NoError(t, db.PingContext(as("a")))
	require.EqualValues(t, 1, p.Stats().Acquired)
}
