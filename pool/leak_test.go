package pool_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A record collects what a Trace is told.
type record[E any] struct {
	mu  sync.Mutex
	all []E
}

func (r *record[E]) add(e E) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, e)
}

// list returns what was told so far. It needs a bubble.
func (r *record[E]) list() []E {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]E(nil), r.all...)
}

// forget has the list begin again.
func (r *record[E]) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = nil
}

// leaky is the configuration of a pool that reports leases of a minute.
func leaky(maxSize int) (pool.Config[*thing], *record[pool.Leak]) {
	var leaks record[pool.Leak]
	cfg := sized(maxSize)
	cfg.Guard.LeakAfter = time.Minute
	cfg.Trace.Leak = leaks.add
	return cfg, &leaks
}

func requireOwnStack(t *testing.T, stack string) {
	t.Helper()
	first, _, _ := strings.Cut(stack, "\n")
	require.Contains(t, first, "pool_test.", "the innermost function is one of the pool's:\n%s", stack)
	require.Contains(t, stack, t.Name())
	require.Contains(t, stack, "_test.go:")
}

func TestALeaseHeldForLongIsReportedOnceAndWhenItReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, leaks := leaky(2)
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "other").Release()
		time.Sleep(time.Hour)
		l := acquire(t, p, "slow")
		time.Sleep(time.Minute - 1)
		require.Empty(t, leaks.list())
		time.Sleep(time.Nanosecond)
		require.Len(t, leaks.list(), 1)
		time.Sleep(time.Hour)
		require.Len(t, leaks.list(), 1, "it is reported once")
		first := leaks.list()[0]
		requireOwnStack(t, first.Stack)
		require.Equal(t, pool.Leak{Tenant: "slow", Resource: 1, Held: time.Minute, Stack: first.Stack}, first)
		require.EqualValues(t, 1, p.Stats().Leaks)

		l.Release()
		require.Len(t, leaks.list(), 2)
		require.Equal(t, pool.Leak{
			Tenant: "slow", Resource: 1, Held: time.Hour + time.Minute, Stack: first.Stack, Returned: true,
		}, leaks.list()[1])
		require.EqualValues(t, 1, p.Stats().Leaks, "a leak counts once")
	})
}

func TestALeakThatReturnsIsReportedHoweverItReturns(t *testing.T) {
	for name, end := range map[string]func(*factory, *pool.Pool[*thing], pool.Lease[*thing]){
		"released":  func(_ *factory, _ *pool.Pool[*thing], l pool.Lease[*thing]) { l.Release() },
		"destroyed": func(_ *factory, _ *pool.Pool[*thing], l pool.Lease[*thing]) { l.Destroy() },
		"hijacked":  func(f *factory, _ *pool.Pool[*thing], l pool.Lease[*thing]) { f.hijack(l) },
		"revoked": func(_ *factory, p *pool.Pool[*thing], _ pool.Lease[*thing]) {
			p.Revoke(nil, func(pool.Holder) bool { return true })
			time.Sleep(10 * time.Second)
		},
		"after Close": func(_ *factory, p *pool.Pool[*thing], l pool.Lease[*thing]) {
			p.Close()
			l.Release()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, leaks := leaky(1)
				f := &factory{}
				p := newPool(t, f, cfg)
				l := acquire(t, p, "a")
				time.Sleep(2 * time.Minute)
				require.Len(t, leaks.list(), 1)
				end(f, p, l)
				require.Len(t, leaks.list(), 2)
				require.True(t, leaks.list()[1].Returned)
				require.Equal(t, "a", leaks.list()[1].Tenant)
				l.Release()
				require.Len(t, leaks.list(), 2)
			})
		})
	}
}

func TestALeaseThatReturnsInTimeIsNoLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, leaks := leaky(1)
		p := newPool(t, &factory{}, cfg)
		for range 10 { // together they last for longer
			l := acquire(t, p, "a")
			time.Sleep(40 * time.Second)
			l.Release()
		}
		require.Empty(t, leaks.list())
		time.Sleep(time.Hour)
		require.Empty(t, leaks.list(), "a warm resource is nobody's leak")
		require.Zero(t, p.Stats().Leaks)
	})
}

func TestEachLeakIsReportedWhenItsOwnTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, leaks := leaky(3)
		p := newPool(t, &factory{}, cfg)
		start := time.Now()
		var leases []pool.Lease[*thing]
		for _, tenant := range []string{"a", "b", "c"} {
			leases = append(leases, acquire(t, p, tenant))
			time.Sleep(7 * time.Second)
		}
		leases[1].Release() // in time
		for i, tenant := range []string{"a", "c"} {
			time.Sleep(time.Until(start.Add(time.Duration(i)*14*time.Second + time.Minute)))
			require.Len(t, leaks.list(), i+1)
			require.Equal(t, tenant, leaks.list()[i].Tenant)
			require.Equal(t, time.Minute, leaks.list()[i].Held)
		}
		leases[0].Release()
		leases[2].Release()
	})
}

func TestTheNextLeaseOfALeakedResourceMayLeakToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, leaks := leaky(1)
		p := newPool(t, &factory{}, cfg)
		l := acquire(t, p, "first")
		waiting := begin(background, p, "next")
		time.Sleep(2 * time.Minute)
		l.Release()
		l = waiting.granted(t)
		require.Len(t, leaks.list(), 2)
		time.Sleep(2 * time.Minute)
		require.Len(t, leaks.list(), 3)
		require.Equal(t, "next", leaks.list()[2].Tenant)
		l.Release()
		require.Len(t, leaks.list(), 4)
		require.Equal(t, "next", leaks.list()[3].Tenant)
		acquire(t, p, "last").Release()
		require.Len(t, leaks.list(), 4)
		require.EqualValues(t, 2, p.Stats().Leaks)
	})
}

func TestALeaseThatIsBeingPreparedIsNotALeakYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, leaks := leaky(1)
		cfg.Tenancy.PrepareTimeout = time.Hour
		cfg.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error {
			time.Sleep(90 * time.Second)
			return nil
		}
		p := newPool(t, &factory{}, cfg)
		l := acquire(t, p, "a")
		require.Empty(t, leaks.list())
		time.Sleep(2 * time.Minute)
		require.Len(t, leaks.list(), 1)
		l.Release()
	})
}

func TestALeakBelongsToTheFunctionThatCalledThePool(t *testing.T) {
	tenant := func(p *pool.Pool[*thing]) pool.Lease[*thing] {
		member := p.Join("a")
		defer member.Leave()
		l, err := member.Acquire(background)
		if err != nil {
			panic(err)
		}
		return l
	}
	try := func(p *pool.Pool[*thing]) pool.Lease[*thing] {
		l, _ := p.TryAcquire("a")
		return l
	}
	for name, get := range map[string]func(*pool.Pool[*thing]) pool.Lease[*thing]{"tenant": tenant, "try": try} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, leaks := leaky(1)
				p := newPool(t, &factory{}, cfg)
				acquire(t, p, "a").Release()
				l := get(p)
				time.Sleep(2 * time.Minute)
				l.Release()
				require.Len(t, leaks.list(), 2)
				first, _, _ := strings.Cut(leaks.list()[0].Stack, "\n")
				require.Contains(t, first, "pool_test.TestALeakBelongsToTheFunctionThatCalledThePool")
			})
		})
	}
	t.Run("Do", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cfg, leaks := leaky(1)
			p := newPool(t, &factory{}, cfg)
			require.NoError(t, p.Do(background, "a", func(context.Context, *thing) error {
				time.Sleep(2 * time.Minute)
				return nil
			}))
			require.Len(t, leaks.list(), 2)
			first, _, _ := strings.Cut(leaks.list()[0].Stack, "\n")
			require.Contains(t, first, "pool_test.TestALeakBelongsToTheFunctionThatCalledThePool")
		})
	})
}

func TestLeaksAreCountedAlsoIfNobodyIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, _ := leaky(1)
		cfg.Trace.Leak = nil
		p := newPool(t, &factory{}, cfg)
		l := acquire(t, p, "a")
		time.Sleep(2 * time.Minute)
		require.EqualValues(t, 1, p.Stats().Leaks)
		l.Release()
	})
}

func TestNothingIsReportedForLongLeasesByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var leaks record[pool.Leak]
		cfg := sized(1)
		cfg.Trace.Leak = leaks.add
		p := newPool(t, &factory{}, cfg)
		l := acquire(t, p, "a")
		time.Sleep(10_000 * time.Hour)
		l.Release()
		require.Empty(t, leaks.list())
	})
}

func TestWatchingCostsNothingWhenItIsOff(t *testing.T) {
	p, err := pool.New(pool.Config[*thing]{
		MaxSize:     1,
		Constructor: func(context.Context) (*thing, error) { return &thing{}, nil },
	})
	require.NoError(t, err)
	defer p.Close()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		l, err := p.Acquire(background, "a")
		if err != nil {
			t.Error(err)
		}
		l.Release()
	}))
	work := func(context.Context, *thing) error { return nil }
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if err := p.Do(background, "a", work); err != nil {
			t.Error(err)
		}
	}), 6.0)
	ctx := fairshare.WithTenant(background, "a")
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if err := p.Do(ctx, "", work); err != nil {
			t.Error(err)
		}
	}), 5.0, "the context carries the tenant already")
}
