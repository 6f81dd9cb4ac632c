package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// An order is an AcquireN in a goroutine of its own.
type order struct {
	leases []pool.Lease[*thing]
	err    error
	over   atomic.Bool
	cancel context.CancelFunc
}

func orderN(p *pool.Pool[*thing], tenant string, n int) *order {
	ctx, cancel := context.WithCancel(background)
	o := &order{cancel: cancel}
	go func() {
		o.leases, o.err = p.AcquireN(ctx, tenant, n)
		o.over.Store(true)
	}()
	synctest.Wait()
	return o
}

func release(leases []pool.Lease[*thing]) {
	for _, l := range leases {
		l.Release()
	}
}

func newSeveral(t *testing.T, cfg pool.Config[*thing]) *pool.Pool[*thing] {
	if cfg.Constructor == nil {
		cfg.Constructor = func(context.Context) (*thing, error) { return &thing{}, nil }
	}
	p, err := pool.New(cfg)
	require.NoError(t, err)
	return p
}

func TestSeveralLeasesComeTogetherAndEndEachOnItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSeveral(t, pool.Config[*thing]{MaxSize: 4})
		leases, err := p.AcquireN(background, "a", 3)
		require.NoError(t, err)
		require.Len(t, leases, 3)
		seen := make(map[*thing]bool)
		for _, l := range leases {
			seen[l.Value()] = true
		}
		require.Len(t, seen, 3, "invariant 2")
		require.Equal(t, 3, p.Stats().Leased)
		leases[1].Release()
		require.Equal(t, 2, p.Stats().Leased)
		o := orderN(p, "b", 3)
		require.False(t, o.over.Load())
		leases[0].Destroy()
		synctest.Wait()
		require.True(t, o.over.Load(), "another was built in the place of the destroyed one")
		require.NoError(t, o.err)
		release(o.leases)
		leases[2].Release()
		for _, n := range []int{0, -2} {
			_, err = p.AcquireN(background, "a", n)
			require.ErrorContains(t, err, fmt.Sprintf("AcquireN of %d resources", n))
		}
		_, err = p.AcquireN(background, "a", 5)
		require.ErrorIs(t, err, pool.ErrTooLarge)
		require.Zero(t, p.Stats().Leased)
		p.Close()
	})
}

func TestAsManyAreBuiltAsAreMissing(t *testing.T) {
	for _, warm := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(warm, " warm"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var builds atomic.Int64
				p := newSeveral(t, pool.Config[*thing]{
					MaxSize: 8,
					Constructor: func(context.Context) (*thing, error) {
						builds.Add(1)
						time.Sleep(time.Second)
						return &thing{}, nil
					},
				})
				if warm > 0 {
					first, err := p.AcquireN(background, "a", warm)
					require.NoError(t, err)
					release(first)
				}
				began := time.Now()
				leases, err := p.AcquireN(background, "a", 4)
				require.NoError(t, err)
				require.Equal(t, time.Second, time.Since(began), "all at once")
				require.EqualValues(t, 4, builds.Load())
				require.Equal(t, 4, p.Stats().Leased+p.Stats().Warm)
				release(leases)
				p.Close()
			})
		})
	}
}

// What is kept for a large request is neither surplus nor idle.
func TestCollectedResourcesAreNotRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var builds atomic.Int64
		p := newSeveral(t, pool.Config[*thing]{
			MaxSize: 3,
			Sizes:   pool.Sizes{MaxIdle: 1, MaxConcurrentBuilds: 1},
			Age:     pool.Age{MaxIdleTime: 500 * time.Millisecond},
			Constructor: func(context.Context) (*thing, error) {
				builds.Add(1)
				time.Sleep(time.Second)
				return &thing{}, nil
			},
		})
		began := time.Now()
		leases, err := p.AcquireN(background, "a", 3)
		require.NoError(t, err)
		require.Equal(t, 3*time.Second, time.Since(began), "one after the other")
		require.EqualValues(t, 3, builds.Load())
		release(leases)
		p.Close()
	})
}

func TestAFailedBuildFailsTheLargeRequestAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		var builds atomic.Int64
		p := newSeveral(t, pool.Config[*thing]{
			MaxSize: 4,
			Constructor: func(context.Context) (*thing, error) {
				if builds.Add(1) > 2 {
					return nil, broken
				}
				return &thing{}, nil
			},
		})
		_, err := p.AcquireN(background, "a", 4)
		require.ErrorIs(t, err, broken)
		leases, err := p.AcquireN(background, "b", 2)
		require.NoError(t, err, "what could be built is of use to others")
		release(leases)
		require.Zero(t, p.Stats().Leased)
		p.Close()
	})
}

func TestAllAreMadeReadyOrNone(t *testing.T) {
	for _, inline := range []bool{false, true} {
		t.Run(fmt.Sprint("inline ", inline), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var prepared, fails atomic.Int32
				p := newSeveral(t, pool.Config[*thing]{
					MaxSize: 4,
					Tenancy: pool.Tenancy[*thing]{
						PrepareInline: inline,
						Prepare: func(ctx context.Context, _ *thing, _ pool.Handover) error {
							time.Sleep(time.Second)
							if prepared.Add(1) <= fails.Load() {
								return errors.New("not now")
							}
							return ctx.Err()
						},
					},
				})
				began := time.Now()
				leases, err := p.AcquireN(background, "a", 3)
				require.NoError(t, err)
				want := time.Second
				if inline {
					want *= 3
				}
				require.Equal(t, want, time.Since(began))
				release(leases)

				prepared.Store(0)
				fails.Store(2) // each is replaced
				leases, err = p.AcquireN(background, "a", 3)
				require.NoError(t, err)
				require.Len(t, leases, 3)
				release(leases)

				prepared.Store(0)
				fails.Store(100)
				_, err = p.AcquireN(background, "a", 3)
				require.ErrorContains(t, err, "not now")
				time.Sleep(time.Minute)
				require.Zero(t, p.Stats().Leased, "all or none")

				fails.Store(0)
				o := orderN(p, "a", 3)
				time.Sleep(time.Second / 2)
				o.cancel()
				time.Sleep(time.Minute)
				require.True(t, o.over.Load())
				require.ErrorIs(t, o.err, context.Canceled)
				require.Zero(t, p.Stats().Leased, "all or none")
				p.Close()
			})
		})
	}
}

func TestARequestThatItsOwnLeasesMakeTooLargeIsADeadLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSeveral(t, pool.Config[*thing]{MaxSize: 3, Guard: pool.Guard{ForbidNested: true}})
		err := p.Do(background, "a", func(ctx context.Context, _ *thing) error {
			leases, err := p.AcquireN(ctx, "a", 2)
			require.NoError(t, err)
			release(leases)
			_, err = p.AcquireN(ctx, "a", 3)
			return err
		})
		require.ErrorIs(t, err, pool.ErrNested)
		p.Close()
	})
}

func TestReclaimAsksForAsManyAsAreMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSeveral(t, pool.Config[*thing]{
			MaxSize: 8,
			Reclaim: pool.Reclaim{After: time.Second, Grace: time.Second},
		})
		hog, err := p.AcquireN(background, "hog", 8)
		require.NoError(t, err)
		hog[0].Release()
		o := orderN(p, "a", 4)
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		revoked := 0
		for h := range p.Holders() {
			if h.Revoked {
				revoked++
			}
		}
		require.Equal(t, 3, revoked, "one is free already")
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		require.True(t, o.over.Load())
		require.NoError(t, o.err)
		release(o.leases)
		release(hog)
		require.Zero(t, p.Stats().Leased)
		p.Close()
	})
}

func TestSeveralDedicatedResources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSeveral(t, pool.Config[*thing]{MaxSize: 4, Tenancy: pool.Tenancy[*thing]{Isolation: pool.Dedicated}})
		for _, tenant := range []string{"a", "b", "a"} {
			leases, err := p.AcquireN(background, tenant, 3)
			require.NoError(t, err)
			require.Len(t, leases, 3)
			o := orderN(p, "c", 2)
			require.False(t, o.over.Load())
			release(leases)
			synctest.Wait()
			require.True(t, o.over.Load())
			require.NoError(t, o.err)
			release(o.leases)
		}
		require.Zero(t, p.Stats().Leased)
		p.Close()
	})
}

func TestSharesCountTheLeasesOfLargeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSeveral(t, pool.Config[*thing]{MaxSize: 4, Sharing: fairshare.Config{Tenants: map[string]fairshare.Share{"a": {Max: 2}}}})
		_, err := p.AcquireN(background, "a", 3)
		require.ErrorIs(t, err, pool.ErrTooLarge)
		leases, err := p.AcquireN(background, "a", 2)
		require.NoError(t, err)
		o := orderN(p, "a", 2)
		require.False(t, o.over.Load())
		leases[0].Release()
		synctest.Wait()
		require.False(t, o.over.Load(), "one of two")
		leases[1].Release()
		synctest.Wait()
		require.True(t, o.over.Load())
		release(o.leases)
		p.Close()
	})
}
