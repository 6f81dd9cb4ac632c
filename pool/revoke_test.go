package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func everyone(pool.Holder) bool { return true }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestRevokeAsksBackWhatMatchesAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(3))
		a1, b, a2 := acquire(t, p, "a"), acquire(t, p, "b"), acquire(t, p, "a")
		early := a1.Revoked()
		require.False(t, isClosed(early))
		require.Equal(t, 2, p.Revoke(nil, func(h pool.Holder) bool { return h.Tenant == "a" }))
		require.True(t, isClosed(early))
		require.True(t, isClosed(a1.Revoked()))
		require.True(t, isClosed(a2.Revoked()), "nobody had asked before")
		require.False(t, isClosed(b.Revoked()))
		require.EqualValues(t, 2, p.Stats().Revocations)

		require.Zero(t, p.Revoke(nil, func(h pool.Holder) bool { return h.Revoked }), "it is no news")
		require.EqualValues(t, 2, p.Stats().Revocations)
		a1.Release()
		a2.Release()
		time.Sleep(time.Hour)
		require.Zero(t, f.endCount(), "what returns in time is not destroyed")
		require.Equal(t, "b", b.Tenant())
		b.Release()
	})
}

func TestTheContextOfARevokedLeaseEndsWithTheCause(t *testing.T) {
	maintenance := errors.New("maintenance")
	own := fmt.Errorf("mine: %w", pool.ErrRevoked)
	for _, test := range []struct {
		cause    error
		contains []error
	}{
		{nil, []error{pool.ErrRevoked}},
		{maintenance, []error{pool.ErrRevoked, maintenance}},
		{own, []error{own}},
	} {
		t.Run(fmt.Sprint(test.cause), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				p := newPool(t, f, sized(1))
				go func() {
					time.Sleep(time.Minute)
					p.Revoke(test.cause, everyone)
				}()
				start := time.Now()
				err := p.Do(background, "a", func(ctx context.Context, _ *thing) error {
					<-ctx.Done()
					require.ErrorIs(t, ctx.Err(), context.Canceled)
					return context.Cause(ctx)
				})
				require.Equal(t, time.Minute, time.Since(start))
				for _, cause := range test.contains {
					require.ErrorIs(t, err, cause)
				}
				if test.cause == own {
					require.Equal(t, own, err)
				}
				time.Sleep(time.Hour)
				require.Zero(t, f.endCount())
			})
		})
	}
}

func TestARevokedLeaseThatIsNotReturnedIsDeadAfterGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		p.Revoke(nil, everyone)
		time.Sleep(10*time.Second - 1) // the default
		require.False(t, waiting.over())
		require.Equal(t, 1, l.Value().id)
		time.Sleep(time.Nanosecond)
		next := waiting.granted(t)
		require.Equal(t, 2, next.Value().id)
		require.Equal(t, 1, f.endCount(), "the destructor ran under the lease")
		require.EqualValues(t, 1, p.Stats().Retired[pool.Revoked])

		require.Empty(t, l.Tenant())
		require.Panics(t, func() { l.Value() })
		require.Panics(t, func() { l.Hijack() })
		l.Release()
		l.Destroy()
		require.True(t, isClosed(l.Revoked()))
		require.Equal(t, "b", next.Tenant())
		next.Release()
	})
}

func TestTheGraceOfARevocationIsThatOfThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := sized(1)
		cfg.Reclaim.Grace = time.Minute
		p := newPool(t, f, cfg)
		acquire(t, p, "a")
		p.Revoke(nil, everyone)
		time.Sleep(30 * time.Second)
		p.Revoke(nil, everyone) // does not begin it again
		time.Sleep(30*time.Second - 1)
		synctest.Wait()
		require.Zero(t, f.endCount())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, 1, f.endCount())
	})
}

// Invariant 8.
func TestARevocationDoesNotReachTheNextLease(t *testing.T) {
	for name, end := range map[string]func(pool.Lease[*thing]){
		"released": pool.Lease[*thing].Release, "destroyed": pool.Lease[*thing].Destroy,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				p := newPool(t, f, sized(1))
				old := acquire(t, p, "a")
				p.Revoke(nil, everyone)
				time.Sleep(time.Second)
				end(old)
				next := acquire(t, p, "a")
				ended := f.endCount()
				ctx, cancel := next.Context(background)
				defer cancel()
				require.True(t, isClosed(old.Revoked()))
				require.False(t, isClosed(next.Revoked()))
				time.Sleep(time.Hour)
				require.False(t, isClosed(next.Revoked()))
				require.NoError(t, ctx.Err())
				require.Equal(t, "a", next.Tenant())
				require.Equal(t, ended, f.endCount())
				next.Release()
			})
		})
	}
}

// Invariant 8, and a race: the stale lease must not take the place of the
// current one between a look and the next.
func TestAStaleLeaseThatAsksForItsRevocationDoesNotHideThatOfTheNext(t *testing.T) {
	p := newPool(t, &factory{}, sized(1))
	stop := make(chan struct{})
	stale := make(chan pool.Lease[*thing], 1)
	var asking sync.WaitGroup
	asking.Go(func() {
		for !isClosed(stop) {
			select {
			case l := <-stale:
				for range 50 {
					l.Revoked()
				}
			default:
			}
		}
	})
	for range 5000 {
		l := acquire(t, p, "a")
		select {
		case stale <- l:
		default:
		}
		l.Release()
		l = acquire(t, p, "a")
		c := l.Revoked()
		if p.Revoke(nil, everyone) != 1 || !isClosed(c) {
			t.Error("the revocation passed by its holder")
			l.Release()
			break
		}
		l.Release()
	}
	close(stop)
	asking.Wait()
}

func TestALeaseThatHasEndedCountsAsRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		l := acquire(t, p, "a")
		l.Release()
		require.True(t, isClosed(l.Revoked()))
		require.True(t, isClosed(pool.Lease[*thing]{}.Revoked()))
		require.Zero(t, p.Revoke(nil, everyone), "a warm resource has no holder")
	})
}

func TestMatchMayCallThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(4))
		a, b := acquire(t, p, "a"), acquire(t, p, "b")
		n := p.Revoke(nil, func(h pool.Holder) bool {
			p.Stats()
			for range p.Holders() {
				p.Stats()
			}
			acquire(t, p, "c").Release()
			require.NoError(t, p.Resize(4))
			p.Revoke(nil, func(h pool.Holder) bool { return h.Tenant == "b" })
			a.Release() // the one that it is asked about, at first
			return true
		})
		require.Zero(t, n, "a has ended, b is revoked already")
		require.False(t, isClosed(acquireAndRelease(t, p, "a")))
		b.Release()
		time.Sleep(time.Hour)
		require.Zero(t, f.endCount())
		require.PanicsWithValue(t, "no match", func() {
			defer acquire(t, p, "d").Release()
			p.Revoke(nil, func(pool.Holder) bool { panic("no match") })
		})
		acquire(t, p, "e").Release()
	})
}

// acquireAndRelease returns the channel of a lease that has just ended.
func acquireAndRelease(t *testing.T, p *pool.Pool[*thing], tenant string) <-chan struct{} {
	l := acquire(t, p, tenant)
	defer l.Release()
	return l.Revoked()
}

func TestALeaseThatIsRevokedWhileItIsPreparedIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := sized(1)
		cfg.Tenancy.PrepareTimeout = time.Hour
		cfg.Tenancy.Prepare = func(_ context.Context, th *thing, _ pool.Handover) error {
			if th.id == 1 {
				time.Sleep(time.Minute)
			}
			return nil
		}
		p := newPool(t, f, cfg)
		preparing := begin(background, p, "a")
		require.Equal(t, 1, p.Revoke(nil, everyone))
		l := preparing.granted(t)
		require.Equal(t, 2, l.Value().id)
		require.False(t, isClosed(l.Revoked()))
		l.Release()
		require.EqualValues(t, 1, p.Stats().Retired[pool.Revoked])
	})
}

func TestRevokeHelpsShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(2))
		acquire(t, p, "a")
		acquire(t, p, "b")
		p.Close()
		require.Equal(t, 2, p.Revoke(nil, everyone))
		start := time.Now()
		require.NoError(t, p.Shutdown(background))
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestDoWithALeaseThatIsGoneAlreadyDoesNotCallTheFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(1)
		cfg.Reclaim.Grace = time.Millisecond
		var p *pool.Pool[*thing]
		cfg.Trace.AcquireDone = func(context.Context, pool.Event) {
			p.Revoke(nil, everyone)
			time.Sleep(time.Second)
		}
		p = newPool(t, &factory{}, cfg)
		err := p.Do(background, "a", func(context.Context, *thing) error {
			t.Error("called")
			return nil
		})
		require.ErrorIs(t, err, pool.ErrRevoked)
	})
}
