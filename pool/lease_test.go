package pool_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// Invariant 8.
func TestAStaleCopyCannotReachALaterLease(t *testing.T) {
	for name, finish := range map[string]func(pool.Lease[*thing]){
		"release": pool.Lease[*thing].Release,
		"destroy": pool.Lease[*thing].Destroy,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, &factory{}, sized(1))
				stale := acquire(t, p, "a")
				th := stale.Value()
				stale.Release()
				later := acquire(t, p, "b")
				require.Same(t, th, later.Value())

				finish(stale)
				synctest.Wait()
				require.Same(t, th, later.Value())
				require.Equal(t, "b", later.Tenant())
				require.False(t, th.ended.Load())
				stats := p.Stats()
				require.Equal(t, 1, stats.InUse)
				require.Zero(t, stats.Warm)
				_, ok := p.TryAcquire("c")
				require.False(t, ok)

				require.Panics(t, func() { stale.Value() })
				require.Panics(t, func() { stale.Hijack() })
				require.Empty(t, stale.Tenant())
				require.Equal(t, 1, p.Stats().InUse)
				later.Release()
			})
		})
	}
}

func TestTheFirstEndOfALeaseCounts(t *testing.T) {
	ends := map[string]func(*factory, pool.Lease[*thing]){
		"release": func(_ *factory, l pool.Lease[*thing]) { l.Release() },
		"destroy": func(_ *factory, l pool.Lease[*thing]) { l.Destroy() },
		"hijack":  func(f *factory, l pool.Lease[*thing]) { f.hijack(l) },
	}
	for first, end := range ends {
		for _, again := range []string{"release", "destroy"} {
			t.Run(first+" then "+again, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &factory{}
					p := newPool(t, f, sized(2))
					l := acquire(t, p, "a")
					other := acquire(t, p, "b")
					end(f, l)
					synctest.Wait()
					before := p.Stats()
					require.Equal(t, 1, before.InUse)

					ends[again](f, l)
					synctest.Wait()
					require.Equal(t, before, p.Stats())
					other.Release()
				})
			})
		}
	}
}

func TestTheZeroLeaseIsAFinishedOne(t *testing.T) {
	var l pool.Lease[*thing]
	l.Release()
	l.Destroy()
	require.Empty(t, l.Tenant())
	const message = "released, destroyed, hijacked or taken back"
	require.PanicsWithValue(t, "pool: Value of a lease that was "+message, func() { l.Value() })
	require.PanicsWithValue(t, "pool: Hijack of a lease that was "+message, func() { l.Hijack() })
}

func TestValueAndHijackOfAFinishedLeasePanicAndSayWhy(t *testing.T) {
	for name, end := range map[string]func(*factory, pool.Lease[*thing]){
		"release": func(_ *factory, l pool.Lease[*thing]) { l.Release() },
		"destroy": func(_ *factory, l pool.Lease[*thing]) { l.Destroy() },
		"hijack":  func(f *factory, l pool.Lease[*thing]) { f.hijack(l) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				p := newPool(t, f, sized(1))
				l := acquire(t, p, "a")
				end(f, l)
				const message = "released, destroyed, hijacked or taken back"
				require.PanicsWithValue(t, "pool: Value of a lease that was "+message, func() { l.Value() })
				require.PanicsWithValue(t, "pool: Hijack of a lease that was "+message, func() { l.Hijack() })
				require.Empty(t, l.Tenant())
			})
		})
	}
}

// Invariant 2, against callers that release the same lease all at once.
func TestOfManyReleasesAtOnceOneCounts(t *testing.T) {
	f := &factory{}
	p := newPool(t, f, sized(2))
	var all sync.WaitGroup
	for i := range 4 {
		tenant := fmt.Sprint(i)
		all.Go(func() {
			for range 500 {
				l, err := p.Acquire(background, tenant)
				if err != nil {
					t.Error(err)
					return
				}
				th := l.Value()
				if !th.inUse.CompareAndSwap(false, true) {
					t.Errorf("thing %d has two holders", th.id)
				}
				th.inUse.Store(false)
				var releases sync.WaitGroup
				for range 3 {
					releases.Go(l.Release)
				}
				releases.Wait()
			}
		})
	}
	all.Wait()
	stats := p.Stats()
	require.Zero(t, stats.InUse)
	require.EqualValues(t, 2000, stats.Acquired)
	require.LessOrEqual(t, stats.Warm, 2)
}

// A lease may be looked at while another goroutine ends it: the answer is the
// tenant or none, never the next one.
func TestTheTenantOfALeaseIsNeverThatOfTheNext(t *testing.T) {
	p := newPool(t, &factory{}, sized(1))
	for range 3000 {
		l := acquire(t, p, "this")
		var both sync.WaitGroup
		both.Go(func() {
			for {
				switch l.Tenant() {
				case "this":
					runtime.Gosched()
				case "":
					return
				default:
					t.Error("the tenant of a later lease")
					return
				}
			}
		})
		both.Go(func() {
			l.Release()
			next, err := p.Acquire(background, "next")
			if err != nil {
				t.Error(err)
				return
			}
			next.Release()
		})
		both.Wait()
	}
}

func TestWhatBecameOfALeaseCanBeAskedForWithoutAPanic(t *testing.T) {
	for name, end := range map[string]func(*pool.Pool[*thing], *factory, pool.Lease[*thing]){
		"released":  func(_ *pool.Pool[*thing], _ *factory, l pool.Lease[*thing]) { l.Release() },
		"destroyed": func(_ *pool.Pool[*thing], _ *factory, l pool.Lease[*thing]) { l.Destroy() },
		"hijacked":  func(_ *pool.Pool[*thing], f *factory, l pool.Lease[*thing]) { f.hijack(l) },
		"revoked": func(p *pool.Pool[*thing], _ *factory, _ pool.Lease[*thing]) {
			p.Revoke(nil, everyone)
			time.Sleep(time.Second)
		},
		"reclaimed": func(p *pool.Pool[*thing], _ *factory, _ pool.Lease[*thing]) {
			l, err := p.Acquire(background, "b")
			require.NoError(t, err)
			l.Release()
		},
		"lost to the next one": func(p *pool.Pool[*thing], _ *factory, l pool.Lease[*thing]) {
			l.Release()
			acquire(t, p, "b").Release()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, cfg := &factory{}, sized(1)
				cfg.Reclaim = pool.Reclaim{After: time.Minute, Grace: time.Millisecond}
				p := newPool(t, f, cfg)
				l := acquire(t, p, "a")
				th, ok := l.TryValue()
				require.True(t, ok)
				require.Same(t, l.Value(), th)
				time.Sleep(time.Hour)

				end(p, f, l)
				before := p.Stats()
				th, ok = l.TryValue()
				require.False(t, ok)
				require.Nil(t, th)
				th, ok = l.TryHijack()
				require.False(t, ok)
				require.Nil(t, th)
				synctest.Wait()
				require.Equal(t, before.Hijacked, p.Stats().Hijacked)
				acquire(t, p, "c").Release() // nothing is lost
			})
		})
	}
}

// Whoever of the holder and the pool is first has the resource, and only one of
// them.
func TestAHijackThatRacesTheEndOfTheGraceHasOneWinner(t *testing.T) {
	var hijacked, seized int
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			f, cfg := &factory{}, sized(1)
			cfg.Reclaim.Grace = time.Millisecond
			p := newPool(t, f, cfg)
			l := acquire(t, p, "a")
			p.Revoke(nil, everyone)
			time.Sleep(time.Millisecond) // the timer of the grace fires too
			if th, ok := l.TryHijack(); ok {
				hijacked++
				f.mu.Lock()
				f.live--
				f.mu.Unlock()
				require.False(t, th.ended.Load())
			} else {
				seized++
				synctest.Wait()
				require.EqualValues(t, 1, p.Stats().Retired[pool.Revoked])
			}
			synctest.Wait()
			require.Equal(t, uint64(1), p.Stats().Hijacked+p.Stats().Retired[pool.Revoked])
		})
	}
	t.Logf("%d hijacked, %d seized", hijacked, seized)
}
