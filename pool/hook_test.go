package pool_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// graceOfHooks is what a hook whose context has ended has left to return.
const graceOfHooks = 100 * time.Millisecond

// A hook is one of those that a pool calls for a resource, and how to have it
// called for thing 1.
type hook struct {
	set      func(*pool.Config[*thing], func(context.Context, *thing) error)
	timeout  func(*pool.Config[*thing], time.Duration)
	failures func(pool.Stats) uint64
	retired  pool.Retirement
}

var hooks = map[string]hook{
	"Check": {
		set: func(cfg *pool.Config[*thing], fn func(context.Context, *thing) error) {
			cfg.Health.Check = fn
		},
		timeout:  func(cfg *pool.Config[*thing], d time.Duration) { cfg.Health.CheckTimeout = d },
		failures: func(s pool.Stats) uint64 { return s.CheckFailures },
		retired:  pool.CheckFailed,
	},
	"Prepare": {
		set: func(cfg *pool.Config[*thing], fn func(context.Context, *thing) error) {
			cfg.Tenancy.Prepare = func(ctx context.Context, th *thing, h pool.Handover) error {
				if h.Fresh {
					return nil
				}
				return fn(ctx, th)
			}
		},
		timeout:  func(cfg *pool.Config[*thing], d time.Duration) { cfg.Tenancy.PrepareTimeout = d },
		failures: func(s pool.Stats) uint64 { return s.PrepareFailures },
		retired:  pool.PrepareFailed,
	},
	"Reset": {
		set: func(cfg *pool.Config[*thing], fn func(context.Context, *thing) error) {
			cfg.Tenancy.Reset = fn
		},
		timeout:  func(cfg *pool.Config[*thing], d time.Duration) { cfg.Tenancy.ResetTimeout = d },
		failures: func(s pool.Stats) uint64 { return s.ResetFailures },
		retired:  pool.ResetFailed,
	},
}

// forEachHook runs a test for each hook, with a pool of two in which the hook is
// about to be called for thing 1 by the Acquire that begin starts, or is under
// way already.
func forEachHook(t *testing.T, timeout time.Duration, fn func(context.Context, *pool.Pool[*thing], *thing) error,
	test func(t *testing.T, h hook, f *factory, p *pool.Pool[*thing])) {
	for name, h := range hooks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p *pool.Pool[*thing]
				cfg := sized(2)
				h.set(&cfg, func(ctx context.Context, th *thing) error {
					if th.id > 1 {
						return nil
					}
					return fn(ctx, p, th)
				})
				h.timeout(&cfg, timeout)
				f := &factory{}
				p = newPool(t, f, cfg)
				l := acquire(t, p, "a")
				if h.retired != pool.ResetFailed {
					l.Release()
					time.Sleep(time.Second)
					test(t, h, f, p)
					return
				}
				l.Release()
				synctest.Wait()
				test(t, h, f, p)
			})
		})
	}
}

// failedOnce checks that the hook failed for thing 1, which was destroyed, and
// that the caller got another.
func failedOnce(t *testing.T, h hook, f *factory, p *pool.Pool[*thing]) {
	t.Helper()
	stats := p.Stats()
	require.EqualValues(t, 1, h.failures(stats))
	require.Equal(t, map[pool.Retirement]uint64{h.retired: 1}, stats.Retired)
	require.Equal(t, 1, f.endCount())
	require.Zero(t, stats.InUse+stats.Resetting)
}

func TestAHookThatDoesNotReturnHasFailed(t *testing.T) {
	for name, fn := range map[string]func(){
		"panic":     func() { panic("the hook broke") },
		"panic nil": func() { panic(nil) },
		"Goexit":    runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			forEachHook(t, 0, func(context.Context, *pool.Pool[*thing], *thing) error {
				fn()
				return nil
			}, func(t *testing.T, h hook, f *factory, p *pool.Pool[*thing]) {
				l := acquire(t, p, "a")
				require.Equal(t, 2, l.Value().id)
				l.Release()
				synctest.Wait()
				failedOnce(t, h, f, p)
			})
		})
	}
}

func TestTheErrorOfAHookSaysWhatHappened(t *testing.T) {
	for name, c := range map[string]struct {
		hook func(context.Context) error
		says []string
	}{
		"panic":  {func(context.Context) error { panic("the hook broke") }, []string{"Prepare panicked", "the hook broke"}},
		"Goexit": {func(context.Context) error { runtime.Goexit(); return nil }, []string{"Prepare", "runtime.Goexit"}},
		"hang":   {func(context.Context) error { time.Sleep(time.Minute); return nil }, []string{"Prepare", "did not return within its timeout of 5s"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, &factory{}, prepared(3, func(ctx context.Context, _ *thing, _ pool.Handover) error { return c.hook(ctx) }))
				e := begin(background, p, "a").failed(t)
				for _, part := range c.says {
					require.ErrorContains(t, e, part)
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

func TestAHookIsToldWhenItsTimeIsUp(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"default": 0, "set": time.Minute} {
		t.Run(name, func(t *testing.T) {
			want := timeout
			if want == 0 {
				want = 5 * time.Second
			}
			forEachHook(t, timeout, func(ctx context.Context, _ *pool.Pool[*thing], _ *thing) error {
				start := time.Now()
				<-ctx.Done()
				if time.Since(start) != want || ctx.Err() != context.DeadlineExceeded {
					t.Errorf("%v after %v", ctx.Err(), time.Since(start))
				}
				return ctx.Err()
			}, func(t *testing.T, h hook, f *factory, p *pool.Pool[*thing]) {
				acquire(t, p, "a").Release()
				time.Sleep(want)
				synctest.Wait()
				failedOnce(t, h, f, p)
			})
		})
	}
}

// One that ends in time, if only just, has not failed.
func TestAHookThatSucceedsInItsLastMomentsHasSucceeded(t *testing.T) {
	forEachHook(t, time.Second, func(context.Context, *pool.Pool[*thing], *thing) error {
		time.Sleep(time.Second + 50*time.Millisecond) // it saw its ctx end, and was done all the same
		return nil
	}, func(t *testing.T, h hook, f *factory, p *pool.Pool[*thing]) {
		time.Sleep(2 * time.Second)
		acquire(t, p, "a").Release()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Zero(t, h.failures(p.Stats()))
		require.Zero(t, f.endCount())
	})
}

// The one left behind keeps the resource, which is destroyed under it, but
// neither the slot nor the caller.
func TestAHookThatHangsIsLeftBehind(t *testing.T) {
	forEachHook(t, time.Second, func(context.Context, *pool.Pool[*thing], *thing) error {
		time.Sleep(time.Hour)
		return nil
	}, func(t *testing.T, h hook, f *factory, p *pool.Pool[*thing]) {
		w := begin(background, p, "a")
		w.granted(t).Release()
		require.LessOrEqual(t, w.waited, 1100*time.Millisecond)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		failedOnce(t, h, f, p)
		both := []pool.Lease[*thing]{acquire(t, p, "a"), acquire(t, p, "b")}
		for _, l := range both {
			l.Release()
		}
		time.Sleep(time.Hour)
	})
}

// A caller that gives up in the middle does not end the hook: an interrupted
// one would leave the resource in a state that nobody knows.
func TestACallerThatGivesUpDoesNotInterruptTheHook(t *testing.T) {
	for _, name := range []string{"Check", "Prepare"} {
		for outcome, result := range map[string]error{"succeeds": nil, "fails": errBroken} {
			t.Run(name+" "+outcome, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					type key struct{}
					calls := 0
					cfg := sized(1)
					hooks[name].set(&cfg, func(ctx context.Context, th *thing) error {
						if calls++; calls > 1 {
							return nil
						}
						if _, ok := ctx.Deadline(); !ok || ctx.Value(key{}) != "of the caller" {
							t.Error("its own deadline, the caller's values")
						}
						time.Sleep(time.Second)
						if ctx.Err() != nil {
							t.Error("interrupted")
						}
						return result
					})
					p := newPool(t, &factory{}, cfg)
					acquire(t, p, "a").Release()
					time.Sleep(time.Second)
					ctx, cancel := context.WithTimeout(context.WithValue(background, key{}, "of the caller"), 300*time.Millisecond)
					defer cancel()
					gone := begin(ctx, p, "b")
					next := begin(background, p, "c")
					require.ErrorIs(t, gone.failed(t), context.DeadlineExceeded)
					require.Equal(t, 300*time.Millisecond, gone.waited)
					l := next.granted(t)
					require.Equal(t, time.Second, next.waited)
					require.Equal(t, map[error]int{nil: 1, errBroken: 2}[result], l.Value().id)
					l.Release()
					require.Zero(t, p.Stats().InUse)
					require.Equal(t, 1, p.Stats().Warm)
				})
			})
		}
	}
}

// Its deadline holds in the last moments of the hook as well.
func TestAHookThatOutlastsItsContextDoesNotHoldUpTheCaller(t *testing.T) {
	for _, name := range []string{"Check", "Prepare"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sized(1)
				hooks[name].set(&cfg, func(_ context.Context, th *thing) error {
					time.Sleep(time.Hour)
					return nil
				})
				hooks[name].timeout(&cfg, time.Second)
				p := newPool(t, &factory{}, cfg)
				acquire(t, p, "a").Release()
				time.Sleep(time.Second)
				ctx, cancel := context.WithTimeout(background, time.Second+graceOfHooks/2)
				defer cancel()
				w := begin(ctx, p, "a")
				w.failed(t)
				require.Equal(t, time.Second+graceOfHooks/2, w.waited)
				time.Sleep(time.Hour)
				synctest.Wait()
				require.EqualValues(t, 1, hooks[name].failures(p.Stats()))
			})
		})
	}
}

func TestACallerThatGivesUpOnAHangingHookLosesNothing(t *testing.T) {
	for _, name := range []string{"Check", "Prepare"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sized(1)
				hooks[name].set(&cfg, func(_ context.Context, th *thing) error {
					if th.id == 1 {
						time.Sleep(time.Hour)
					}
					return nil
				})
				p := newPool(t, &factory{}, cfg)
				acquire(t, p, "a").Release()
				time.Sleep(time.Second)
				ctx, cancel := context.WithTimeout(background, time.Second)
				defer cancel()
				begin(ctx, p, "a").failed(t)
				w := begin(background, p, "b")
				w.granted(t).Release()
				require.Equal(t, 4100*time.Millisecond, w.waited)
				require.EqualValues(t, 1, hooks[name].failures(p.Stats()))
				time.Sleep(time.Hour)
			})
		})
	}
}

func TestCloseEndsTheHooks(t *testing.T) {
	for _, heeds := range []bool{true, false} {
		t.Run(fmt.Sprint("heeds its ctx: ", heeds), func(t *testing.T) {
			forEachHook(t, 0, func(ctx context.Context, _ *pool.Pool[*thing], _ *thing) error {
				if !heeds {
					time.Sleep(time.Hour)
				}
				<-ctx.Done()
				return ctx.Err()
			}, func(t *testing.T, h hook, f *factory, p *pool.Pool[*thing]) {
				w := begin(background, p, "a")
				resets := h.retired == pool.ResetFailed
				if resets {
					w.granted(t).Release() // thing 2
				}
				start := time.Now()
				p.Close()
				if !resets {
					require.ErrorIs(t, w.failed(t), pool.ErrClosed)
				}
				ctx, cancel := context.WithTimeout(background, time.Minute)
				defer cancel()
				require.NoError(t, p.Shutdown(ctx))
				require.LessOrEqual(t, time.Since(start), 100*time.Millisecond)
				require.Zero(t, p.Stats().InUse)
				time.Sleep(time.Hour)
			})
		})
	}
}

// The holder of the lease may end it while a hook of a later one runs.
func TestAStaleLeaseDoesNotReachAResourceInItsHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := checked(1, func(context.Context, *thing) error { time.Sleep(time.Second); return nil })
		cfg.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { time.Sleep(time.Second); return nil }
		cfg.Tenancy.Reset = func(context.Context, *thing) error { time.Sleep(time.Second); return nil }
		f := &factory{}
		p := newPool(t, f, cfg)
		l := acquire(t, p, "a")
		l.Release()
		w := begin(background, p, "b")
		for range 100 {
			l.Release()
			l.Destroy()
			time.Sleep(30 * time.Millisecond)
		}
		require.Equal(t, 1, w.granted(t).Value().id)
		w.lease.Release()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, f.endCount())
	})
}

// The lease of somebody who does not even have it yet.
func TestAResourceRevokedInItsHookIsReplacedByAnother(t *testing.T) {
	for _, name := range []string{"Check", "Prepare"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sized(2)
				cfg.Reclaim.Grace = time.Second
				hooks[name].set(&cfg, func(_ context.Context, th *thing) error {
					if th.id == 1 {
						time.Sleep(3 * time.Second)
					}
					return nil
				})
				p := newPool(t, &factory{}, cfg)
				acquire(t, p, "a").Release()
				time.Sleep(time.Second)
				w := begin(background, p, "a")
				require.Equal(t, 1, p.Revoke(nil, func(pool.Holder) bool { return true }))
				l := w.granted(t)
				require.Equal(t, 2, l.Value().id)
				l.Release()
				require.Zero(t, p.Stats().InUse)
			})
		})
	}
}
