package pool_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestTheContextOfALeaseEndsWithItsParentAndWithCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		l := acquire(t, p, "a")
		type key struct{}
		parent, end := context.WithTimeout(context.WithValue(background, key{}, "value"), time.Minute)
		defer end()
		ctx, cancel := l.Context(parent)
		defer cancel()
		require.Equal(t, "value", ctx.Value(key{}))
		deadline, _ := ctx.Deadline()
		require.Equal(t, time.Now().Add(time.Minute), deadline)
		other, cancelOther := l.Context(parent)
		cancelOther()
		require.ErrorIs(t, context.Cause(other), context.Canceled)
		require.NoError(t, ctx.Err())
		time.Sleep(time.Minute)
		<-ctx.Done()
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
		require.Equal(t, "a", l.Tenant(), "the lease goes on")
		l.Release()
	})
}

func TestEveryContextOfARevokedLeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(2))
		outer, other := acquire(t, p, "a"), acquire(t, p, "b")
		var contexts []context.Context
		for i := range 5 {
			ctx, cancel := outer.Context(background)
			defer cancel()
			contexts = append(contexts, ctx)
			if i == 2 {
				cancel() // does not take another one with it
			}
		}
		inner, cancel := other.Context(contexts[0])
		defer cancel()
		derived, cancel := context.WithTimeout(contexts[1], time.Hour)
		defer cancel()
		p.Revoke(nil, func(h pool.Holder) bool { return h.Tenant == "a" })
		synctest.Wait()
		late, cancel := outer.Context(background)
		defer cancel()
		for i, ctx := range append(contexts, inner, derived, late) {
			if i == 2 {
				require.Equal(t, context.Canceled, context.Cause(ctx))
			} else {
				require.ErrorIs(t, context.Cause(ctx), pool.ErrRevoked)
			}
		}
		own, cancel := other.Context(background)
		defer cancel()
		require.NoError(t, own.Err())
		outer.Release()
		other.Release()
	})
}

func TestTheContextOfALeaseThatHasEndedIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		l := acquire(t, p, "a")
		l.Release()
		for _, ended := range []pool.Lease[*thing]{l, {}} {
			ctx, cancel := ended.Context(background)
			require.ErrorIs(t, ctx.Err(), context.Canceled)
			require.EqualError(t, context.Cause(ctx), "pool: lease has ended")
			cancel()
		}
	})
}

// A lease may last for as long as the program, and make a context for each
// piece of work.
func TestALeaseForgetsAContextThatIsOver(t *testing.T) {
	p := newPool(t, &factory{}, sized(1))
	l := acquire(t, p, "a")
	type key struct{}
	var collected atomic.Int32
	for range 100 {
		work := &[64]byte{}
		runtime.AddCleanup(work, func(int) { collected.Add(1) }, 0)
		_, cancel := l.Context(context.WithValue(background, key{}, work))
		cancel()
	}
	collect(t, func() bool { return collected.Load() >= 99 })
	l.Release()
}

func TestTheContextOfALeaseCarriesItsTenant(t *testing.T) {
	for name, parent := range map[string]context.Context{
		"no name in the parent":      background,
		"another name in the parent": fairshare.WithTenant(background, "other"),
		"its own name in the parent": fairshare.WithTenant(background, "a"),
	} {
		t.Run(name, func(t *testing.T) {
			p, beside := newPool(t, &factory{}, sized(2)), newPool(t, &factory{}, sized(1))
			nested := func(ctx context.Context) {
				require.Equal(t, "a", fairshare.TenantFrom(ctx))
				for _, pool := range []*pool.Pool[*thing]{p, beside} {
					inner, err := pool.Acquire(ctx, "")
					require.NoError(t, err)
					require.Equal(t, "a", inner.Tenant())
					inner.Release()
				}
			}
			require.NoError(t, p.Do(parent, "a", func(ctx context.Context, _ *thing) error {
				nested(ctx)
				return nil
			}))
			member := p.Join("a")
			defer member.Leave()
			for _, acquire := range []func() (pool.Lease[*thing], error){
				func() (pool.Lease[*thing], error) { return p.Acquire(parent, "a") },
				func() (pool.Lease[*thing], error) { return member.Acquire(parent) },
			} {
				l, err := acquire()
				require.NoError(t, err)
				ctx, cancel := l.Context(parent)
				nested(ctx)
				cancel()
				l.Release()
			}
		})
	}
}

// Whoever is nobody stays nobody further down.
func TestTheContextOfAnAnonymousLeaseNamesNobody(t *testing.T) {
	p := newPool(t, &factory{}, sized(1))
	member := p.Join("")
	defer member.Leave()
	parent := fairshare.WithTenant(background, "a")
	l, err := member.Acquire(parent)
	require.NoError(t, err)
	ctx, cancel := l.Context(parent)
	defer cancel()
	require.Empty(t, fairshare.TenantFrom(ctx))
	l.Release()
	late, cancel := l.Context(parent)
	defer cancel()
	require.Error(t, late.Err(), "it has ended")
}
