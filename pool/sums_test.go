package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// requireSums fails unless the figures add up, and have not shrunk since before.
func requireSums(t *testing.T, p *pool.Pool[*thing], before pool.Stats) pool.Stats {
	t.Helper()
	s := p.Stats()
	require.Equal(t, s.Alive(), s.Warm+s.Leased+s.Resetting+s.Checking)
	require.Equal(t, s.Total(), s.Alive()+s.Building+s.Destroying)
	require.LessOrEqual(t, s.Total(), s.MaxSize)
	require.EqualValues(t, s.Built, uint64(s.Alive()+s.Destroying)+s.Destroyed+s.Hijacked)
	retired := uint64(0)
	for _, n := range s.Retired {
		retired += n
	}
	require.Equal(t, retired, s.Destroyed+uint64(s.Destroying))
	require.Equal(t, s.Free(), max(0, s.Capacity-s.InUse))
	require.GreaterOrEqual(t, s.InUse, s.Leased)
	require.Equal(t, s.Canceled, s.TimedOut+s.Expired+s.Abandoned+s.Failed)
	require.Equal(t, s.TimedHolds, s.Holds.Total())
	require.LessOrEqual(t, s.TimedHolds, s.Acquired)
	require.GreaterOrEqual(t, s.Acquired, before.Acquired)
	require.GreaterOrEqual(t, s.Canceled, before.Canceled)
	require.GreaterOrEqual(t, s.Waits.Total(), before.Waits.Total())
	return s
}

// What a hook turns down, and what comes too late, nobody has acquired.
func TestTheFiguresOfAPoolAddUpInARandomHistory(t *testing.T) {
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			seed := newSeed(t)
			var mu sync.Mutex
			own := rand.New(rand.NewPCG(seed, 0))
			hook := func(ctx context.Context) error {
				mu.Lock()
				n := own.IntN(20)
				mu.Unlock()
				time.Sleep(time.Duration(n) * time.Millisecond)
				switch n {
				case 0, 1, 2:
					return errors.New("unlucky")
				case 3:
					panic("unlucky")
				}
				return nil
			}
			cfg := sharing(4, fairshare.Config{AcquireTimeout: 50 * time.Millisecond, Default: fairshare.Share{MaxWaiting: 3}})
			cfg.Age.MaxUses = 20
			cfg.Reclaim = pool.Reclaim{After: 30 * time.Millisecond, Grace: 10 * time.Millisecond}
			if own.IntN(2) == 0 {
				cfg.Tenancy.Prepare = func(ctx context.Context, _ *thing, _ pool.Handover) error { return hook(ctx) }
				cfg.Tenancy.PrepareInline = own.IntN(2) == 0
			}
			if own.IntN(2) == 0 {
				cfg.Health.Check = func(ctx context.Context, _ *thing) error { return hook(ctx) }
			}
			if own.IntN(2) == 0 {
				cfg.Tenancy.Reset = func(ctx context.Context, _ *thing) error { return hook(ctx) }
			}
			f := &factory{build: func(ctx context.Context, _ int) error { return hook(ctx) }}
			p := newPool(t, f, cfg)
			var acquired uint64
			var all sync.WaitGroup
			for i := range 12 {
				all.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(i+1)))
					for range 30 {
						ctx, cancel := context.WithTimeout(background, time.Duration(1+r.IntN(100))*time.Millisecond)
						l, err := p.Acquire(ctx, fmt.Sprint(r.IntN(4)))
						if err == nil {
							mu.Lock()
							acquired++
							mu.Unlock()
							time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
							switch r.IntN(10) {
							case 0:
								l.Destroy()
							case 1:
								if th, ok := l.TryHijack(); ok {
									f.mu.Lock()
									f.live--
									f.mu.Unlock()
									_ = th
								}
							default:
								l.Release()
							}
						}
						cancel()
						time.Sleep(time.Duration(r.IntN(10)) * time.Millisecond)
					}
				})
			}
			var stats pool.Stats
			for range 200 {
				time.Sleep(7 * time.Millisecond)
				stats = requireSums(t, p, stats)
			}
			all.Wait()
			time.Sleep(time.Minute)
			stats = requireSums(t, p, stats)
			require.Equal(t, acquired, stats.Acquired)
			t.Log(stats)
		})
	}
}

func TestAnAcquireWhoseHooksFailIsNotCountedAsAcquired(t *testing.T) {
	for _, inline := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var fails atomic.Int32
			fails.Store(2)
			cfg := sized(1)
			cfg.Tenancy.PrepareInline = inline
			cfg.Tenancy.Prepare = func(ctx context.Context, _ *thing, _ pool.Handover) error {
				time.Sleep(time.Second)
				if fails.Add(-1) >= 0 {
					return errors.New("unlucky")
				}
				return nil
			}
			p := newPool(t, &factory{}, cfg)
			l := acquire(t, p, "a") // the third
			require.EqualValues(t, 1, p.Stats().Acquired)
			require.Zero(t, p.Stats().Canceled)
			l.Release()

			short, cancel := context.WithTimeout(background, time.Second/2)
			defer cancel()
			_, err := p.Acquire(short, "a")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.EqualValues(t, 1, p.Stats().Expired)
			time.Sleep(time.Minute)
			fails.Store(3)
			_, err = p.Acquire(background, "a")
			require.Error(t, err)
			time.Sleep(time.Minute)
			fails.Store(1)
			_, ok := p.TryAcquire("a")
			require.False(t, ok)
			time.Sleep(time.Minute)
			stats := requireSums(t, p, pool.Stats{})
			require.EqualValues(t, 1, stats.Acquired)
			require.GreaterOrEqual(t, stats.Failed, uint64(1))
			for _, tenant := range p.Tenants() {
				require.EqualValues(t, 1, tenant.Acquired)
				require.Equal(t, stats.Canceled, tenant.Canceled)
			}
		})
	}
}

func TestStatsOfAPoolAreReadInTwoLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(3))
		l := acquire(t, p, "a")
		acquire(t, p, "b").Release()
		text := "2 of 3 resources: 1 idle, 1 leased, 0 resetting, 0 checking, 0 building, 0 destroying; " +
			"1 of 3 slots in use, 2 free; 0 waiting, for up to 0s; 1 tenant active\n" +
			"since the start: 2 acquired, 0 rejected, 0 canceled (0 timed out, 0 expired, 0 abandoned, 0 failed); " +
			"waits: 2, half of them < 1µs, 99% < 1µs, all < 1µs; holds: none; 2 built, 0 destroyed, 0 hijacked, 0 builds failed"
		require.Equal(t, text, fmt.Sprintf("%+v", p.Stats()))
		l.Release()
		p.Close()
		require.Contains(t, p.Stats().String(), "; closed\n")
		require.Equal(t, 1, strings.Count(p.Stats().String(), "\n"))
	})
}
