package pool_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// Who waits for a slot that Headroom keeps for others has no use for another
// resource.
func TestNothingIsBuiltForThoseThatHeadroomHoldsBack(t *testing.T) {
	for _, isolation := range []pool.Isolation{pool.Shared, pool.Dedicated} {
		for _, test := range []struct{ size, headroom, maxIdle int }{{4, 2, 1}, {4, 1, 0}, {9, 5, 2}, {3, 2, 1}} {
			t.Run(fmt.Sprint(isolation, test), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &factory{build: takes(time.Millisecond), end: func(*thing) { time.Sleep(time.Millisecond) }}
					cfg := sharing(test.size, fairshare.Config{Headroom: test.headroom})
					cfg.Sizes.MaxIdle = test.maxIdle
					cfg.Tenancy.Isolation = isolation
					p := newPool(t, f, cfg)
					var leases []pool.Lease[*thing]
					for range test.size - test.headroom {
						leases = append(leases, acquire(t, p, "a"))
					}
					waiting := begin(background, p, "a")
					time.Sleep(time.Second)
					require.Equal(t, test.size-test.headroom, f.buildCount())
					require.Zero(t, f.endCount())

					b := acquire(t, p, "b") // what is kept for those that hold none
					require.Equal(t, test.size-test.headroom+1, f.buildCount())
					b.Release()
					leases[0].Release()
					leases[0] = waiting.granted(t)
					releaseAll(leases)
				})
			})
		}
	}
}

// Whatever the settings: a resource that is built finds somebody who may have it,
// or stays. None is built and retired again while nothing happens.
func TestAPoolThatNobodyTouchesBuildsNothingForLong(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 6))
				size := 1 + r.IntN(8)
				cfg := sharing(size, fairshare.Config{
					Headroom: r.IntN(size),
					Default:  fairshare.Share{Max: r.IntN(4)},
					Tenants:  map[string]fairshare.Share{"t0": {Min: min(size, r.IntN(3))}, "t1": {Weight: 3}},
				})
				if r.IntN(4) == 0 {
					cfg.Sharing.ShareFunc = fairshare.EqualShare
				}
				cfg.Sizes.MaxIdle = r.IntN(3)
				cfg.Tenancy.Isolation = pool.Isolation(r.IntN(2))
				f := &factory{build: takes(time.Millisecond), end: func(*thing) { time.Sleep(time.Millisecond) }}
				p := newPool(t, f, cfg)
				var all []*pending
				for range 4 * size {
					all = append(all, begin(background, p, fmt.Sprint("t", r.IntN(6))))
					time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
				}
				time.Sleep(time.Second)
				built := f.buildCount()
				time.Sleep(time.Hour)
				require.Equal(t, built, f.buildCount())
				for n := len(all); n > 0; n-- {
					synctest.Wait()
					for i, w := range all {
						if w.over() {
							w.lease.Release()
							all = append(all[:i], all[i+1:]...)
							break
						}
					}
					time.Sleep(10 * time.Millisecond)
				}
				require.Empty(t, all, "everybody was served")
			})
		})
	}
}
