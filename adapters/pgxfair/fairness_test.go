package pgxfair_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// crowd has one tenant ask for many slow queries at once and, until they are
// done, five others for short ones, and returns what the latter took and how long
// the former did.
func crowd(t *testing.T, db execer, slowQueries int) (short []time.Duration, slow time.Duration) {
	var hog, others sync.WaitGroup
	var mu sync.Mutex
	start := time.Now()
	for range slowQueries {
		hog.Go(func() {
			_, err := db.Exec(fairshare.WithTenant(t.Context(), "hog"), "select pg_sleep(0.02)")
			if err != nil {
				t.Error(err)
			}
		})
	}
	over := make(chan struct{})
	for i := range 5 {
		ctx := fairshare.WithTenant(t.Context(), "web-"+strconv.Itoa(i))
		others.Go(func() {
			for {
				begin := time.Now()
				if _, err := db.Exec(ctx, "select 1"); err != nil {
					t.Error(err)
					return
				}
				took := time.Since(begin)
				mu.Lock()
				short = append(short, took)
				mu.Unlock()
				select {
				case <-over:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
	hog.Wait()
	slow = time.Since(start)
	close(over)
	others.Wait()
	slices.Sort(short)
	return short, slow
}

func TestTenantsWithShortQueriesDoNotWaitForOneWithManySlowOnes(t *testing.T) {
	dsn := database(t)
	plain, err := pgxpool.New(t.Context(), dsn+"&pool_max_conns=4")
	require.NoError(t, err)
	defer plain.Close()
	fair := open(t, dsn, func(c *pgxfair.Config) { c.MaxConns = 4 })
	var before, after []time.Duration
	var plainTook, fairTook time.Duration
	var both sync.WaitGroup // at once, so that what else the machine does is the same for both
	both.Go(func() { before, plainTook = crowd(t, plain, 200) })
	both.Go(func() { after, fairTook = crowd(t, fair, 200) })
	both.Wait()
	p99 := func(all []time.Duration) time.Duration { return all[len(all)*99/100] }
	t.Logf("short queries: %d, p99 %v with pgxpool; %d, p99 %v here; the slow ones took %v and %v",
		len(before), p99(before), len(after), p99(after), plainTook, fairTook)
	require.Less(t, p99(after), p99(before)/2)
	require.Less(t, fairTook, 2*plainTook, "nobody pays for it")
	require.Greater(t, len(after), len(before))
}
