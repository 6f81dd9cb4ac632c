package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// forbidding is the configuration of a pool that forbids dead-locks.
func forbidding(maxSize int) pool.Config[*thing] {
	cfg := sized(maxSize)
	cfg.Guard.ForbidNested = true
	return cfg
}

// holding leases a thing, and returns a context that tells so.
func holding(t *testing.T, p *pool.Pool[*thing], tenant string) (context.Context, pool.Lease[*thing]) {
	t.Helper()
	l := acquire(t, p, tenant)
	ctx, cancel := l.Context(background)
	t.Cleanup(cancel)
	return ctx, l
}

// This is what ForbidNested prevents.
func TestCallersThatHoldAndWaitAreDeadlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(2))
		ctx, cancel := context.WithCancel(background)
		var all sync.WaitGroup
		for _, tenant := range []string{"a", "b"} {
			all.Go(func() {
				_ = p.Do(ctx, tenant, func(ctx context.Context, _ *thing) error {
					time.Sleep(time.Second)
					inner, err := p.Acquire(ctx, tenant)
					inner.Release() // the other may have given up first
					return err
				})
			})
		}
		time.Sleep(1000 * time.Hour)
		require.Equal(t, 2, p.Stats().Waiting)
		require.Zero(t, p.Stats().Deadlocks, "nobody wants to know")
		cancel()
		all.Wait()
	})
}

func TestADeadlockIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var nested record[pool.Event]
		var log bytes.Buffer
		cfg := sized(2)
		cfg.Trace.Nested = nested.add
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		p := newPool(t, &factory{}, cfg)
		ctxA, a := holding(t, p, "a")
		ctxB, b := holding(t, p, "b")
		inA := begin(ctxA, p, "a")
		require.Empty(t, nested.list())
		inB := begin(ctxB, p, "b")
		require.Equal(t, []pool.Event{{Tenant: "b", Err: pool.ErrNested}}, nested.list())
		require.Contains(t, log.String(), "dead-lock")
		require.Contains(t, log.String(), "tenant=b")
		require.EqualValues(t, 1, p.Stats().Deadlocks)
		require.False(t, inA.over())
		require.False(t, inB.over(), "it is only reported")
		a.Release()
		b.Release()
		inA.granted(t).Release()
		inB.granted(t).Release()
	})
}

func TestTheLastToCloseTheCircleIsRefusedAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, forbidding(3))
		var all sync.WaitGroup
		var refused []string
		var served int
		var mu sync.Mutex
		for i, tenant := range []string{"a", "b", "c"} {
			all.Go(func() {
				err := p.Do(background, tenant, func(ctx context.Context, _ *thing) error {
					time.Sleep(time.Duration(1+i) * time.Second)
					return p.Do(ctx, tenant, func(context.Context, *thing) error { return nil })
				})
				mu.Lock()
				defer mu.Unlock()
				var e *pool.AcquireError
				if errors.As(err, &e) && errors.Is(err, pool.ErrNested) {
					if e.Tenant != tenant || e.InUse != 3 || e.Capacity != 3 || e.Held != 1 {
						t.Errorf("%+v", e)
					}
					refused = append(refused, tenant)
				} else if err == nil {
					served++
				}
			})
		}
		start := time.Now()
		all.Wait()
		require.Equal(t, []string{"c"}, refused)
		require.Equal(t, 2, served)
		require.Equal(t, 3*time.Second, time.Since(start))
		require.EqualValues(t, 1, p.Stats().Deadlocks)
	})
}

func TestACallerThatHoldsEverythingIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, forbidding(3))
		depth := 0
		var nest func(context.Context, *thing) error
		nest = func(ctx context.Context, _ *thing) error {
			depth++
			return p.Do(ctx, "a", nest)
		}
		require.ErrorIs(t, p.Do(background, "a", nest), pool.ErrNested)
		require.Equal(t, 3, depth)
	})
}

func TestANestedAcquireIsRecognisedThroughAnotherPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, other := newPool(t, &factory{}, forbidding(1)), newPool(t, &factory{}, forbidding(1))
		err := p.Do(background, "a", func(ctx context.Context, _ *thing) error {
			return other.Do(ctx, "a", func(ctx context.Context, _ *thing) error {
				_, err := p.Acquire(ctx, "a")
				require.ErrorIs(t, err, pool.ErrNested)
				_, err = other.Join("b").Acquire(ctx)
				require.ErrorIs(t, err, pool.ErrNested)
				return nil
			})
		})
		require.NoError(t, err)
	})
}

func TestALeaseOfAnotherPoolIsNotNested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, other := newPool(t, &factory{}, forbidding(1)), newPool(t, &factory{}, forbidding(1))
		ctx, l := holding(t, other, "a")
		taken := acquire(t, p, "b")
		waiting := begin(ctx, p, "a")
		require.False(t, waiting.over())
		taken.Release()
		waiting.granted(t).Release()
		l.Release()
	})
}

func TestAHolderThatMayReturnIsNoDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, forbidding(2))
		ctx, a := holding(t, p, "a")
		_, working := holding(t, p, "b")
		nested := begin(ctx, p, "a")
		require.False(t, nested.over())
		working.Release()
		nested.granted(t).Release()
		a.Release()
		require.Zero(t, p.Stats().Deadlocks)
	})
}

func TestRoomToBuildIsNoDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { time.Sleep(time.Second); return nil }}
		p := newPool(t, f, forbidding(2))
		ctx, a := holding(t, p, "a")
		l, err := p.Acquire(ctx, "a")
		require.NoError(t, err)
		l.Release()
		a.Release()
		require.Zero(t, p.Stats().Deadlocks)
	})
}

func TestAnAcquireThatWouldNotWaitIsNoDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, forbidding(1))
		ctx, l := holding(t, p, "a")
		dead, cancel := context.WithCancel(ctx)
		cancel()
		_, err := p.Acquire(dead, "a")
		require.ErrorIs(t, err, context.Canceled)
		_, ok := p.TryAcquire("a")
		require.False(t, ok)
		p.Close()
		_, err = p.Acquire(ctx, "a")
		require.ErrorIs(t, err, pool.ErrClosed)
		require.Zero(t, p.Stats().Deadlocks)
		l.Release()
	})
}

func TestAWaitThatEndedDoesNotCountForADeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, forbidding(2))
		ctxA, a := holding(t, p, "a")
		ctxB, b := holding(t, p, "b")
		short, cancel := context.WithTimeout(ctxA, time.Second)
		defer cancel()
		_, err := p.Acquire(short, "a")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		nested := begin(ctxB, p, "b")
		require.False(t, nested.over(), "a works on")
		a.Release()
		nested.granted(t).Release()
		b.Release()

		// The next holder of the same resource has waited for nothing.
		ctxA, a = holding(t, p, "a")
		ctxB, b = holding(t, p, "b")
		first := begin(ctxA, p, "a")
		a.Release()
		first.granted(t).Release()
		c := acquire(t, p, "c")
		nested = begin(ctxB, p, "b")
		require.False(t, nested.over())
		c.Release()
		nested.granted(t).Release()
		b.Release()
		require.Zero(t, p.Stats().Deadlocks)
	})
}

func TestEachWaitOfAHolderCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, forbidding(2))
		ctxA, a := holding(t, p, "a")
		ctxB, b := holding(t, p, "b")
		short, cancel := context.WithCancel(ctxA)
		first, second := begin(short, p, "a"), begin(ctxA, p, "a")
		cancel()
		first.failed(t)
		require.ErrorIs(t, begin(ctxB, p, "b").failed(t), pool.ErrNested, "a waits still")
		b.Release()
		second.granted(t).Release()
		a.Release()
	})
}

func TestALeaseWithoutItsContextIsNotRecognised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, forbidding(1))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "a")
		require.False(t, waiting.over())
		l.Release()
		waiting.granted(t).Release()

		// A context outlives its lease: its holder holds nothing any more.
		ctx, l := holding(t, p, "a")
		l.Release()
		taken := acquire(t, p, "b")
		waiting = begin(ctx, p, "a")
		require.False(t, waiting.over())
		taken.Release()
		waiting.granted(t).Release()
	})
}

func nestAtRandom(t *testing.T, p *pool.Pool[*thing], r *rand.Rand, ctx context.Context, depth int) error {
	for {
		err := p.Do(ctx, fmt.Sprint("t", r.IntN(4)), func(ctx context.Context, _ *thing) error {
			time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
			if depth == 0 || r.IntN(4) == 0 {
				return nil
			}
			return nestAtRandom(t, p, r, ctx, depth-1)
		})
		if !errors.Is(err, pool.ErrNested) || ctx != background {
			return err
		}
		time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
	}
}

func nestingWorkers(t *testing.T, p *pool.Pool[*thing], workers, depth, rounds int) {
	seed := newSeed(t)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			for range rounds {
				if err := nestAtRandom(t, p, r, background, depth); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func TestNestedLoadWithRoomRaisesNoAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, forbidding(9)) // 4 that hold 2 and wait leave one
		nestingWorkers(t, p, 4, 2, 100)
		require.Zero(t, p.Stats().Deadlocks)
	})
}

func TestNestedLoadWithoutRoomGetsThroughWithForbidNested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, forbidding(3))
		nestingWorkers(t, p, 5, 2, 50)
		require.NotZero(t, p.Stats().Deadlocks)
	})
}

// Nobody but the tenant's own callers could give back what its Max allows.
func TestATenantThatWaitsForItselfAtItsMaxIsDeadlocked(t *testing.T) {
	for most := 1; most <= 3; most++ {
		t.Run(fmt.Sprint("Max ", most), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := forbidding(5)
				cfg.Sharing.Default.Max = most
				p := newPool(t, &factory{}, cfg)
				var contexts []context.Context
				var leases []pool.Lease[*thing]
				for range most {
					ctx, l := holding(t, p, "a")
					contexts, leases = append(contexts, ctx), append(leases, l)
				}
				var waiting []*pending
				for _, ctx := range contexts {
					waiting = append(waiting, begin(ctx, p, "a"))
				}
				e := waiting[len(waiting)-1].failed(t) // it has closed the circle
				require.ErrorIs(t, e, pool.ErrNested)
				require.Equal(t, fairshare.AtCap, e.Reason)
				require.EqualValues(t, 1, p.Stats().Deadlocks)
				acquire(t, p, "b").Release()
				for _, w := range waiting[:len(waiting)-1] {
					require.False(t, w.over())
				}
				leases[most-1].Release()
				for _, w := range waiting[:len(waiting)-1] {
					w.granted(t).Release()
				}
				for _, l := range leases {
					l.Release()
				}
			})
		})
	}
}

// What another tenant may have, or a resource that is only being cleaned, comes
// back.
func TestATenantAtItsMaxThatWaitsForOthersIsNotDeadlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := forbidding(5)
		cfg.Sharing.Default.Max = 1
		cfg.Tenancy.Reset = func(context.Context, *thing) error { time.Sleep(time.Second); return nil }
		p := newPool(t, &factory{}, cfg)
		ofA, a := holding(t, p, "a")
		ofB, b := holding(t, p, "b")
		aForB := begin(ofA, p, "b")
		bForC := begin(ofB, p, "c")
		bForC.granted(t).Release()
		other := begin(background, p, "a")
		require.False(t, other.over())
		b.Release()
		aForB.granted(t).Release()
		a.Release()
		other.granted(t).Release()
		time.Sleep(time.Second)
		require.Zero(t, p.Stats().Deadlocks)
	})
}

// Each of these hangs for an hour without the check, or for ever.
func TestACallerThatCanOnlyBeServedByThoseThatWaitIsDeadlocked(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  fairshare.Config
		size int
	}{
		"capacity":               {fairshare.Config{}, 1},
		"Max":                    {fairshare.Config{Default: fairshare.Share{Max: 1}}, 4},
		"strict share":           {fairshare.Config{ShareFunc: func(int, int) int { return 1 }}, 4},
		"strict share by weight": {fairshare.Config{ShareFunc: func(int, int) int { return 2 }, Default: fairshare.Share{Weight: 0.5}}, 4},
		"Headroom":               {fairshare.Config{Headroom: 1}, 2},
		"Headroom of all":        {fairshare.Config{Headroom: 4}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sharing(c.size, c.cfg)
				cfg.Guard.ForbidNested = true
				p := newPool(t, &factory{}, cfg)
				start := time.Now()
				err := p.Do(background, "a", func(ctx context.Context, _ *thing) error {
					short, cancel := context.WithTimeout(ctx, time.Hour)
					defer cancel()
					return p.Do(short, "", func(context.Context, *thing) error { return nil })
				})
				require.ErrorIs(t, err, pool.ErrNested)
				require.ErrorContains(t, err, "AcquireN")
				require.Zero(t, time.Since(start))
				require.EqualValues(t, 1, p.Stats().Deadlocks)
			})
		})
	}
}

// Two tenants at their Max, each waiting for a lease of the other's.
func TestTenantsThatWaitForEachOtherAreDeadlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := forbidding(5)
		cfg.Sharing.Default.Max = 1
		p := newPool(t, &factory{}, cfg)
		ofA, a := holding(t, p, "a")
		ofB, b := holding(t, p, "b")
		first := begin(ofA, p, "b")
		require.False(t, first.over())
		require.ErrorIs(t, begin(ofB, p, "a").failed(t), pool.ErrNested)
		b.Release()
		first.granted(t).Release()
		a.Release()
	})
}

func TestWhoeverWaitsForSomebodyWhoWorksRaisesNoAlarm(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  fairshare.Config
		size int
	}{
		"capacity": {fairshare.Config{}, 2},
		"Headroom": {fairshare.Config{Headroom: 1}, 3},
		"a strict share that grows when the other leaves": {fairshare.Config{ShareFunc: fairshare.EqualShare}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sharing(c.size, c.cfg)
				cfg.Guard.ForbidNested = true
				p := newPool(t, &factory{}, cfg)
				ofA, a := holding(t, p, "a")
				works := acquire(t, p, "b")
				nested := begin(ofA, p, "a")
				works.Release()
				nested.granted(t).Release()
				a.Release()
				require.Zero(t, p.Stats().Deadlocks)
			})
		})
	}
	t.Run("one that waits is to be served", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cfg := forbidding(3)
			cfg.Sharing.Tenants = map[string]fairshare.Share{"a": {Max: 1}}
			f := &factory{build: func(context.Context, int) error { time.Sleep(time.Second); return nil }}
			p := newPool(t, f, cfg)
			ofA, a := holding(t, p, "a")
			ofB, b := holding(t, p, "b")
			building := begin(ofA, p, "c") // which has room
			waiting := begin(ofB, p, "a")
			require.False(t, waiting.over(), "a ends in time")
			building.granted(t).Release()
			a.Release()
			waiting.granted(t).Release()
			b.Release()
			require.Zero(t, p.Stats().Deadlocks)
		})
	})
}
