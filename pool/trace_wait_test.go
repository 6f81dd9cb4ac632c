package pool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// waits has the trace write down the waits that it is told of.
func waits(t *pool.Trace) *record[string] {
	var told record[string]
	t.WaitStart = func(ctx context.Context, e pool.Event) context.Context {
		told.add(e.Tenant + " waits")
		return ctx
	}
	t.WaitDone = func(_ context.Context, e pool.Event) {
		var failed *pool.AcquireError
		if errors.As(e.Err, &failed) {
			told.add(fmt.Sprintf("%s failed after %v: %s", e.Tenant, e.Took, failed.Reason))
		} else {
			told.add(fmt.Sprintf("%s got %d after %v", e.Tenant, e.Resource, e.Took))
		}
	}
	return &told
}

func TestOnlyAnAcquireThatIsNotServedAtOnceIsToldAsAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(1)
		told := waits(&cfg.Trace)
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "a").Release()
		require.Equal(t, []string{"a waits", "a got 1 after 0s"}, told.list(), "for the build")
		told.forget()
		joined := p.Join("joined")
		defer joined.Leave()
		for range 10 {
			acquire(t, p, "a").Release()
			l, err := joined.Acquire(background)
			require.NoError(t, err)
			l.Release()
			require.NoError(t, p.Do(background, "b", func(context.Context, *thing) error { return nil }))
			l, ok := p.TryAcquire("c")
			require.True(t, ok)
			_, ok = p.TryAcquire("c")
			require.False(t, ok)
			l.Release()
		}
		require.Empty(t, told.list())

		held := acquire(t, p, "a")
		var all []*pending
		for _, tenant := range []string{"b", "c"} {
			all = append(all, begin(background, p, tenant))
		}
		later := make(chan struct{})
		go func() {
			defer close(later)
			l, err := joined.Acquire(background)
			require.NoError(t, err)
			l.Release()
		}()
		time.Sleep(time.Second)
		held.Release()
		for _, w := range all {
			l := w.granted(t)
			time.Sleep(time.Second)
			l.Release()
		}
		<-later
		require.ElementsMatch(t, []string{
			"b waits", "b got 1 after 1s", "c waits", "c got 1 after 2s", "joined waits", "joined got 1 after 3s",
		}, told.list())
	})
}

// What there is to wait with costs nothing as long as nobody waits.
func TestToBeToldOfWaitsAllocatesNothing(t *testing.T) {
	for name, set := range map[string]func(*pool.Trace){
		"waits":   func(tr *pool.Trace) { waits(tr) },
		"acquire": func(tr *pool.Trace) { tr.AcquireDone = func(context.Context, pool.Event) {} },
		"release": func(tr *pool.Trace) { tr.Release = func(pool.Event) {} },
	} {
		cfg := sized(1)
		set(&cfg.Trace)
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "a").Release()
		require.Zero(t, testing.AllocsPerRun(100, func() {
			l, _ := p.Acquire(background, "a")
			l.Release()
		}), name)
	}
}

// Each failure is told once, with how long it took.
func TestAWaitInVainIsToldOnce(t *testing.T) {
	within := func(limit time.Duration) func(*pool.Pool[*thing]) {
		return func(p *pool.Pool[*thing]) {
			ctx, cancel := context.WithTimeout(background, limit)
			defer cancel()
			_, _ = p.Acquire(ctx, "b")
		}
	}
	for what, c := range map[string]struct {
		set  func(*pool.Config[*thing])
		fail func(*pool.Pool[*thing]) // has b fail while a holds the only thing
		want string
	}{
		"a context that has ended":   {fail: within(0), want: "0s: not waited for"},
		"a context that ends":        {fail: within(time.Second), want: "1s: all slots in use"},
		"a context that ends at 0 s": {fail: within(1), want: "1ns: all slots in use"},
		"AcquireTimeout": {
			set:  func(c *pool.Config[*thing]) { c.Sharing.AcquireTimeout = time.Minute },
			fail: func(p *pool.Pool[*thing]) { _, _ = p.Acquire(background, "b") },
			want: "1m0s: all slots in use",
		},
		"a Close": {
			fail: func(p *pool.Pool[*thing]) {
				time.AfterFunc(time.Hour, p.Close)
				_, _ = p.Acquire(background, "b")
			},
			want: "1h0m0s: closed",
		},
		"a closed pool": {
			fail: func(p *pool.Pool[*thing]) {
				p.Close()
				_, _ = p.Acquire(background, "b")
			},
			want: "0s: closed",
		},
		"a full queue": {
			set: func(c *pool.Config[*thing]) { c.Sharing.Tenants = map[string]fairshare.Share{"b": {MaxWaiting: 1}} },
			fail: func(p *pool.Pool[*thing]) {
				ctx, cancel := context.WithCancel(background)
				defer cancel()
				begin(fairshare.WithTenant(ctx, "b"), p, "")
				_, _ = p.Acquire(background, "b")
			},
			want: "0s: queue full",
		},
		"a build that fails": {
			set:  func(c *pool.Config[*thing]) { c.MaxSize = 2 },
			fail: within(2 * time.Hour),
			want: "2h0m0s: constructor failing",
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sized(1)
				if c.set != nil {
					c.set(&cfg)
				}
				told := waits(&cfg.Trace)
				f := &factory{build: func(ctx context.Context, n int) error {
					if n == 1 {
						return nil
					}
					select {
					case <-time.After(time.Hour):
					case <-ctx.Done():
					}
					return errors.New("broken")
				}}
				p := newPool(t, f, cfg)
				held := acquire(t, p, "a")
				told.forget()
				c.fail(p)
				synctest.Wait()
				counts := map[string]int{}
				for _, one := range told.list() {
					counts[one]++
				}
				held.Release()
				require.Equal(t, 1, counts["b failed after "+c.want], counts)
				require.Len(t, told.list(), 2*counts["b waits"], "each that began has ended")
			})
		})
	}
}

// The context that WaitStart returns is the one to wait with.
func TestTheContextOfAWaitIsHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		cfg := sized(1)
		cfg.Trace.AcquireStart = func(ctx context.Context, _ pool.Event) context.Context {
			return context.WithValue(ctx, key{}, "acquire")
		}
		cfg.Trace.WaitStart = func(ctx context.Context, _ pool.Event) context.Context {
			ctx, cancel := context.WithTimeout(context.WithValue(ctx, key{}, fmt.Sprint(ctx.Value(key{}), " wait")), time.Minute)
			context.AfterFunc(ctx, cancel)
			return ctx
		}
		var ends record[any]
		cfg.Trace.WaitDone = func(ctx context.Context, _ pool.Event) { ends.add(ctx.Value(key{})) }
		cfg.Trace.AcquireDone = func(ctx context.Context, _ pool.Event) { ends.add(ctx.Value(key{})) }
		p := newPool(t, &factory{}, cfg)
		l := acquire(t, p, "a")
		require.Equal(t, []any{"acquire wait", "acquire"}, ends.list())
		began := time.Now()
		_, err := p.Acquire(background, "b")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(began))
		l.Release()
	})
}

func TestJoinedTracesNestInAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told record[string]
		nesting := func(n tracer) (t pool.Trace) {
			all := n.trace(&told)
			return pool.Trace{WaitStart: all.CheckStart, WaitDone: all.CheckDone}
		}
		idle := pool.Trace{
			WaitStart: func(context.Context, pool.Event) context.Context { return nil },
			WaitDone:  func(ctx context.Context, _ pool.Event) { told.add("idle in " + path(ctx)) },
		}
		cfg := sized(1)
		cfg.Trace = pool.Traces(idle, nesting("a"), idle, nesting("b"), idle)
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "t").Release()
		require.Equal(t, []string{
			"a CheckStart in ", "b CheckStart in a",
			"idle in ab", "b CheckDone in ab", "idle in a", "a CheckDone in a", "idle in ",
		}, told.list())
	})
}

// A cancel that comes while WaitStart runs counts, and so does a grant.
func TestAWaitMayBeOverBeforeItsHookIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(1)
		told := waits(&cfg.Trace)
		start := cfg.Trace.WaitStart
		cfg.Trace.WaitStart = func(ctx context.Context, e pool.Event) context.Context {
			ctx = start(ctx, e)
			time.Sleep(time.Minute)
			return ctx
		}
		p := newPool(t, &factory{}, cfg)
		held := acquire(t, p, "a")
		told.forget()
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		late := begin(ctx, p, "b")
		granted := begin(background, p, "c")
		held.Release()
		require.ErrorIs(t, late.failed(t), context.DeadlineExceeded)
		granted.granted(t).Release()
		require.ElementsMatch(t, []string{
			"b waits", "b failed after 1m0s: granted too late", "c waits", "c got 1 after 1m0s",
		}, told.list())
	})
}
