package pool_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// inline returns a pool of n whose Prepare runs in the caller's goroutine.
func inline(t *testing.T, f *factory, n int, prepare func(context.Context, *thing) error) *pool.Pool[*thing] {
	cfg := prepared(n, func(ctx context.Context, th *thing, _ pool.Handover) error { return prepare(ctx, th) })
	cfg.Tenancy.PrepareInline = true
	cfg.Tenancy.PrepareTimeout = 10 * time.Second
	return newPool(t, f, cfg)
}

func TestWhatIsPreparedInlineHasTheCallersContextAndItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		p := inline(t, &factory{}, 1, func(ctx context.Context, _ *thing) error {
			deadline, _ := ctx.Deadline()
			require.Equal(t, 10*time.Second, time.Until(deadline))
			require.Equal(t, "of the caller", ctx.Value(key{}))
			return nil
		})
		w := begin(context.WithValue(background, key{}, "of the caller"), p, "a")
		w.granted(t).Release()
	})
}

// Invariants 3 and 7.
func TestACallerThatGivesUpInAnInlinePrepareLosesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(context.Context) error
		waits   time.Duration
		next    int // the thing that the next caller gets
	}{
		"heeds its context":           {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, time.Second, 2},
		"succeeds all the same":       {func(context.Context) error { time.Sleep(1050 * time.Millisecond); return nil }, 1050 * time.Millisecond, 1},
		"succeeds much too late":      {func(context.Context) error { time.Sleep(3 * time.Second); return nil }, 3 * time.Second, 2},
		"fails for some other reason": {func(context.Context) error { time.Sleep(3 * time.Second); return errBroken }, 3 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				p := inline(t, &factory{}, 1, func(ctx context.Context, _ *thing) error {
					if calls++; calls > 1 {
						return nil
					}
					return c.prepare(ctx)
				})
				ctx, cancel := context.WithTimeout(background, time.Second)
				defer cancel()
				w, next := begin(ctx, p, "a"), begin(background, p, "b")
				require.ErrorIs(t, w.failed(t), context.DeadlineExceeded)
				require.Equal(t, c.waits, w.waited)
				l := next.granted(t)
				require.Equal(t, c.next, l.Value().id)
				require.Equal(t, c.waits, next.waited)
				l.Release()
			})
		})
	}
}

// The deadline of one caller is no fault of the server: it must not cost others
// theirs.
func TestACallerThatGivesUpInAnInlinePrepareCondemnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := prepared(2, func(ctx context.Context, _ *thing, h pool.Handover) error {
			if h.Tenant == "well" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		cfg.Tenancy.PrepareInline = true
		cfg.Health.MarkBad = func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
		p := newPool(t, &factory{}, cfg)
		held := acquire(t, p, "well")
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		require.ErrorIs(t, begin(ctx, p, "hasty").failed(t), context.DeadlineExceeded)
		synctest.Wait()
		require.Zero(t, p.Stats().Condemned)
		_, ok := p.TryAcquire("slow") // for want of a thing, one is built
		require.False(t, ok)
		synctest.Wait()
		_, ok = p.TryAcquire("slow") // outlasts the PrepareTimeout
		require.False(t, ok)
		require.EqualValues(t, 1, p.Stats().Condemned)
		held.Release()
	})
}

// A Prepare that fails for its context costs the resource, so none begins that
// has to.
func TestACallerThatHasGivenUpBeforeAnInlinePrepareDoesNotPrepare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		cfg := prepared(1, func(ctx context.Context, _ *thing, _ pool.Handover) error { calls++; return ctx.Err() })
		cfg.Tenancy.PrepareInline = true
		ctx, cancel := context.WithCancel(background)
		cfg.Trace.WaitDone = func(_ context.Context, e pool.Event) {
			if e.Tenant == "b" {
				cancel()
			}
		}
		p := newPool(t, &factory{}, cfg)
		l := acquire(t, p, "a")
		late, next := begin(ctx, p, "b"), begin(background, p, "c")
		l.Release()
		require.ErrorIs(t, late.failed(t), context.Canceled)
		l = next.granted(t)
		require.Equal(t, 1, l.Value().id)
		require.Equal(t, 2, calls)
		l.Release()
	})
}

func TestAResourceThatCannotBePreparedInlineIsDestroyedForAnother(t *testing.T) {
	for name, fail := range map[string]func(context.Context) error{
		"error":    func(context.Context) error { return errBroken },
		"panic":    func(context.Context) error { panic("the hook broke") },
		"time out": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"too long": func(context.Context) error { time.Sleep(time.Minute); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				p := inline(t, f, 2, func(ctx context.Context, th *thing) error {
					if th.id == 1 {
						return fail(ctx)
					}
					return nil
				})
				l := begin(background, p, "a").granted(t)
				require.Equal(t, 2, l.Value().id)
				l.Release()
				synctest.Wait()
				require.Equal(t, 1, f.endCount())
				require.EqualValues(t, 1, p.Stats().PrepareFailures)
				require.Equal(t, map[pool.Retirement]uint64{pool.PrepareFailed: 1}, p.Stats().Retired)
			})
		})
	}
}

// Invariant 3.
func TestGoexitInAnInlinePrepareEndsTheCallerAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := inline(t, f, 1, func(_ context.Context, th *thing) error {
			if th.id == 1 {
				runtime.Goexit()
			}
			return nil
		})
		var ended, returned atomic.Bool
		go func() {
			defer ended.Store(true)
			_, _ = p.Acquire(background, "a")
			returned.Store(true)
		}()
		synctest.Wait()
		require.True(t, ended.Load())
		require.False(t, returned.Load())
		l := begin(background, p, "b").granted(t)
		require.Equal(t, 2, l.Value().id)
		l.Release()
		require.Equal(t, 1, f.endCount())
	})
}

func TestCloseEndsAnInlinePrepare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := inline(t, &factory{}, 1, func(ctx context.Context, _ *thing) error {
			<-ctx.Done()
			return ctx.Err()
		})
		w := begin(background, p, "a")
		time.Sleep(time.Second)
		p.Close()
		require.ErrorIs(t, w.failed(t), pool.ErrClosed)
		require.Equal(t, time.Second, w.waited)
	})
}

func TestAPoolMayBeUsedFromAnInlinePrepare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *pool.Pool[*thing]
		calls := 0
		p = inline(t, &factory{}, 2, func(ctx context.Context, _ *thing) error {
			if calls++; calls == 1 {
				l, err := p.Acquire(ctx, "b")
				require.NoError(t, err)
				l.Release()
				require.NoError(t, p.Resize(1))
			}
			return nil
		})
		begin(background, p, "a").granted(t).Release()
		require.Zero(t, p.Stats().InUse)
	})
}
