package pgxfair_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// openings are the ways to hold a connection without naming it.
var openings = map[string]func(ctx context.Context, db *pgxfair.Tenant) (end func(), err error){
	"Rows": func(ctx context.Context, db *pgxfair.Tenant) (func(), error) {
		r, err := db.Query(ctx, "select 1")
		return r.Close, err
	},
	"Row": func(ctx context.Context, db *pgxfair.Tenant) (func(), error) {
		r := db.QueryRow(ctx, "select 1")
		return func() { r.Scan(new(int)) }, nil
	},
	"BatchResults": func(ctx context.Context, db *pgxfair.Tenant) (func(), error) {
		b := &pgx.Batch{}
		b.Queue("select 1")
		r := db.SendBatch(ctx, b)
		return func() { r.Close() }, nil
	},
	"Tx": func(ctx context.Context, db *pgxfair.Tenant) (func(), error) {
		tx, err := db.Begin(ctx)
		return func() { tx.Rollback(ctx) }, err
	},
}

func TestAConnectionThatIsNotReturnedIsReportedWithWhoTookIt(t *testing.T) {
	for name, take := range openings {
		leaks := make(chan pool.Leak, 10)
		db := open(t, database(t), func(c *pgxfair.Config) {
			c.Guard.LeakAfter = 20 * time.Millisecond
			c.Trace.Leak = func(l pool.Leak) { leaks <- l }
		})
		end, err := take(t.Context(), db.Tenant("sloppy"))
		require.NoError(t, err, name)
		l := <-leaks
		require.Equal(t, "sloppy", l.Tenant, name)
		require.False(t, l.Returned, name)
		require.Contains(t, l.Stack, "pgxfair_test.", name)
		end()
		l = <-leaks
		require.True(t, l.Returned, name)
		require.GreaterOrEqual(t, l.Held, 20*time.Millisecond, name)
	}
}

func TestAConnectionThatNobodyCanReturnAnyMoreIsTakenBack(t *testing.T) {
	for name, take := range openings {
		leaks := make(chan pool.Leak, 10)
		db := open(t, database(t), func(c *pgxfair.Config) {
			c.MaxConns, c.Guard.DetectLost = 1, true
			c.Trace.Leak = func(l pool.Leak) { leaks <- l }
		})
		func() {
			_, err := take(t.Context(), db.Tenant("lost"))
			require.NoError(t, err)
		}()
		eventually(t, func() bool {
			runtime.GC()
			return db.Stats().Lost == 1
		}, name)
		l := <-leaks
		require.True(t, l.Lost)
		require.Equal(t, "lost", l.Tenant)
		require.NoError(t, db.Ping(t.Context()), name)
		require.EqualValues(t, 1, db.Stat().TotalConns())
	}
}

func TestWhoWaitsForItselfIsToldSo(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns, c.Guard.ForbidNested = 1, true })
	c, err := db.Acquire(t.Context())
	require.NoError(t, err)
	defer c.Release()
	ctx, cancel := c.Context(t.Context())
	defer cancel()
	require.NoError(t, c.Ping(ctx))
	require.ErrorIs(t, db.Ping(ctx), pool.ErrNested)
}

// count returns how many connections the server has under an application's name.
func count(t testing.TB, q dbtx, application string) (n int) {
	t.Helper()
	require.NoError(t, q.QueryRow(context.Background(), "select count(*) from pg_stat_activity where application_name = $1", application).Scan(&n))
	return n
}

func TestATenantAboveItsShareHasItsQueryEndedWhenOthersWaitForLong(t *testing.T) {
	dsn := database(t)
	db := open(t, dsn+"&application_name=reclaimed", func(c *pgxfair.Config) {
		c.MaxConns = 2
		c.Reclaim = pool.Reclaim{After: 20 * time.Millisecond, Grace: 20 * time.Millisecond}
	})
	fill(t, db, 2)
	start := time.Now()
	failed := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := db.Tenant("hog").Exec(t.Context(), "select pg_sleep(300)")
			failed <- err
		}()
	}
	eventually(t, func() bool { return db.Stat().AcquiredConns() == 2 }, "not held")
	require.NoError(t, db.Tenant("newcomer").Ping(t.Context()))
	require.Less(t, time.Since(start), patience)
	require.Error(t, <-failed)
	require.EqualValues(t, 1, db.Stats().Revocations, "the other one is its share")
	eventually(t, func() bool { return count(t, db, "reclaimed") <= 2 }, "the query still runs")

	other := dial(t, dsn)
	defer other.Close(context.Background())
	_, err := other.Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep(300)'")
	require.NoError(t, err)
	require.Error(t, <-failed)
}

func TestAHolderIsAskedBeforeTheConnectionIsTaken(t *testing.T) {
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns = 1
		c.Reclaim = pool.Reclaim{After: 20 * time.Millisecond, Grace: patience}
		c.Sharing.Tenants = nil
	})
	c, err := db.Tenant("hog").Acquire(t.Context())
	require.NoError(t, err)
	ctx, cancel := c.Context(t.Context())
	defer cancel()
	pid := backend(t, c)
	got := make(chan uint32)
	go func() { got <- backend(t, db.Tenant("newcomer")) }()
	select {
	case <-c.Revoked():
		<-ctx.Done()
		require.ErrorIs(t, context.Cause(ctx), pool.ErrRevoked)
		require.NoError(t, c.Ping(t.Context()))
		c.Release()
		require.Equal(t, pid, <-got)
	case pid := <-got:
		require.Fail(t, "served", "by %d, under the holder", pid)
	case <-time.After(patience):
		c.Release()
		<-got
		require.Fail(t, "not asked")
	}
}

func TestThePoolCountsWhatTheServerCounts(t *testing.T) {
	dsn := database(t)
	admin := dial(t, dsn)
	defer admin.Close(context.Background())
	name := "counted" + strings.Repeat("x", 5)
	db := open(t, dsn+"&application_name="+name)
	c, err := db.Acquire(t.Context())
	require.NoError(t, err)
	fill(t, db, 2)
	s := db.Stat()
	require.Equal(t, 3, count(t, admin, name))
	require.EqualValues(t, 3, s.TotalConns())
	require.EqualValues(t, 1, s.AcquiredConns())
	require.EqualValues(t, 2, s.IdleConns())
	require.EqualValues(t, 0, s.ConstructingConns())
	require.EqualValues(t, 3, s.NewConnsCount())
	require.EqualValues(t, 3, s.AcquireCount())
	require.Positive(t, s.AcquireDuration())
	c.Release()
	db.Close()
	eventually(t, func() bool { return count(t, admin, name) == 0 }, "a connection is left")
}
