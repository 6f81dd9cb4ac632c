package main

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEqualSeedsGiveEqualLoads(t *testing.T) {
	load := planLoad(3, 2*time.Second, 50, 100, 1000)
	require.Equal(t, load, planLoad(3, 2*time.Second, 50, 100, 1000))
	require.NotEqual(t, load, planLoad(4, 2*time.Second, 50, 100, 1000))
}

func TestTheBatchIsDueAtOnceAndEachWebTenantEveryFewTensOfMilliseconds(t *testing.T) {
	const orders = 1000
	for seed := range uint64(20) {
		load := planLoad(seed, 2*time.Second, 50, 100, orders)
		last := make([]time.Duration, len(tenants))
		sent := make([]int, len(tenants))
		for i, r := range load.requests {
			sent[r.tenant]++
			if r.tenant == batch {
				require.Zero(t, r.due)
				first, final := r.args[0].(int), r.args[1].(int)
				require.GreaterOrEqual(t, first, 1)
				require.LessOrEqual(t, final, orders)
				require.GreaterOrEqual(t, final-first+1, 50)
				require.LessOrEqual(t, final-first+1, 150)
				continue
			}
			require.GreaterOrEqual(t, r.due, load.requests[i-1].due)
			require.GreaterOrEqual(t, r.due-last[r.tenant], 20*time.Millisecond)
			require.LessOrEqual(t, r.due-last[r.tenant], 60*time.Millisecond)
			last[r.tenant] = r.due
		}
		require.Equal(t, 50, sent[batch])
		for tenant, at := range last {
			if tenant != batch {
				require.Greater(t, at, load.duration-60*time.Millisecond, "seed %d", seed)
				require.Less(t, at, load.duration)
			}
		}
	}
}

func TestTheBatchNeverReadsBeyondTheOrdersThereAre(t *testing.T) {
	for _, r := range planLoad(1, time.Second, 500, 100, 100).requests {
		if r.tenant == batch {
			require.GreaterOrEqual(t, r.args[0].(int), 1)
			require.LessOrEqual(t, r.args[1].(int), 100)
		}
	}
}

// stuckPool never has a connection.
type stuckPool struct{ err error }

func (p stuckPool) acquire(ctx context.Context, _ string) (*sql.Conn, func(), error) {
	if p.err != nil {
		return nil, nil, p.err
	}
	<-ctx.Done()
	return nil, nil, ctx.Err()
}

func (stuckPool) close() {}

func TestRequestsAreSentWhenDueHoweverLateTheEarlierOnesAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := planLoad(1, time.Second, 20, 1, 1)
		scores := newTally("stuck", load)
		finished := make(chan error)
		go func() { finished <- load.run(t.Context(), stuckPool{}, scores) }()
		for at := 50 * time.Millisecond; at < time.Second; at += 50 * time.Millisecond {
			time.Sleep(at - time.Since(scores.begin))
			synctest.Wait()
			due := make([]int, len(tenants))
			for _, r := range load.requests {
				if r.due <= at {
					due[r.tenant]++
				}
			}
			_, moments := scores.now()
			for tenant, m := range moments {
				require.Equal(t, due[tenant], m.waiting, "%s at %v", tenants[tenant], at)
			}
		}
		require.NoError(t, <-finished)
		require.Equal(t, 1500*time.Millisecond, time.Since(scores.begin), "what is not served by then is given up")
		for i, a := range scores.accounts {
			require.Zero(t, a.done)
			require.Empty(t, a.pending)
			require.Len(t, a.waits, a.givenUp)
			require.LessOrEqual(t, quantile(a.waits, 1), 1500*time.Millisecond, tenants[i])
			require.Greater(t, quantile(a.waits, 0), 500*time.Millisecond, "a wait in vain counts from when it was due")
		}
	})
}

func TestWhatWasNeverSentCountsAsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := planLoad(1, time.Second, 20, 1, 1)
		scores := newTally("stuck", load)
		scores.begin = scores.begin.Add(time.Second) // the sender is late by that much
		require.NoError(t, load.run(t.Context(), stuckPool{}, scores))
		accounted := 0
		for _, a := range scores.accounts {
			require.Empty(t, a.pending)
			accounted += a.givenUp
		}
		require.Equal(t, len(load.requests), accounted)
	})
}

func TestAnErrorOfThePoolEndsTheRunAndIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := planLoad(1, time.Second, 20, 1, 1)
		broken := errors.New("no such file")
		err := load.run(t.Context(), stuckPool{broken}, newTally("stuck", load))
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, "stuck")
	})
}

func TestCancellingEndsTheRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := planLoad(1, time.Second, 20, 1, 1)
		scores := newTally("stuck", load)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, load.run(ctx, stuckPool{}, scores), context.DeadlineExceeded)
		require.Equal(t, 300*time.Millisecond, time.Since(scores.begin))
	})
}
