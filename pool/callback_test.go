package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// Invariant 9: no code of the user runs under the lock, so all of it may call
// the pool.
func callAll(t *testing.T, p *pool.Pool[*thing]) {
	p.Stats()
	for range p.Tenants() {
		p.Stats()
	}
	if l, ok := p.TryAcquire("callback"); ok {
		l.Release()
	}
	if err := p.SetShare("callback", fairshare.Share{Weight: 2}); err != nil {
		t.Error(err)
	}
	if err := p.Resize(3); err != nil {
		t.Error(err)
	}
	p.Reset()
	member := p.Join("callback")
	dead, cancel := context.WithCancel(background)
	cancel()
	if _, err := member.Acquire(dead); err == nil {
		t.Error("acquired with a dead context")
	}
	member.Leave()
}

func TestTheConstructorMayCallThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(4))
		f.build = func(_ context.Context, n int) error {
			if n == 1 {
				callAll(t, p)
			}
			return nil
		}
		acquire(t, p, "a").Release() // the second build: the first called Reset
		require.GreaterOrEqual(t, f.buildCount(), 2)
	})
}

func TestTheDestructorMayCallThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(4))
		f.end = func(th *thing) {
			if th.id == 1 {
				callAll(t, p)
			}
		}
		l := acquire(t, p, "a")
		waiting := []*pending{begin(background, p, "b"), begin(background, p, "c")}
		l.Destroy()
		for _, w := range waiting {
			w.granted(t).Release()
		}
		synctest.Wait()
		require.EqualValues(t, f.endCount(), p.Stats().Destroyed)
	})
}

func TestTheShareFuncMayCallThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *pool.Pool[*thing]
		calls := 0
		p = newPool(t, &factory{}, sharing(4, fairshare.Config{ShareFunc: func(capacity, tenants int) int {
			if calls++; calls > 100 {
				panic("ShareFunc calls itself without an end")
			}
			if p != nil {
				p.Stats()
				for range p.Tenants() {
					break
				}
			}
			return capacity / tenants
		}}))
		a := acquire(t, p, "a")
		b := acquire(t, p, "b")
		a.Release()
		b.Release()
		require.NoError(t, p.Resize(2))
		require.NoError(t, p.Stats().ShareFuncErr)
	})
}

// The loop over Tenants holds no lock either.
func TestTheLoopOverTenantsMayCallThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(4))
		for _, name := range []string{"c", "a", "b"} {
			defer acquire(t, p, name).Release()
		}
		var names []string
		for name, stats := range p.Tenants() {
			require.Equal(t, 1, stats.Held)
			l, ok := p.TryAcquire(name)
			if ok {
				l.Release()
			}
			names = append(names, name)
			if name == "b" {
				break
			}
		}
		require.Equal(t, []string{"a", "b"}, names)
	})
}

// A curious context looks at the pool when it is asked why it has ended.
type curious struct {
	context.Context
	p *pool.Pool[*thing]
}

func (c curious) Err() error { c.p.Stats(); return c.Context.Err() }

// Invariant 9: the methods of a context are code of the user too.
func TestNoContextIsAskedUnderTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(2)
		cfg.Sizes.MinIdle = 2
		cfg.BuildTimeout = time.Hour
		f := &factory{build: func(context.Context, int) error { time.Sleep(time.Minute); return nil }}
		p := newPool(t, f, cfg)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		require.ErrorIs(t, p.Warm(curious{ctx, p}), context.DeadlineExceeded)
		l := acquire(t, p, "a")
		require.ErrorIs(t, p.Shutdown(curious{ctx, p}), context.DeadlineExceeded)
		l.Release()
	})
}
