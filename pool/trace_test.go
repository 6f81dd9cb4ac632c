package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

type startFunc = func(context.Context, pool.Event) context.Context
type doneFunc = func(context.Context, pool.Event)

// starts and dones name the functions of a Trace.
func starts(t *pool.Trace) map[string]*startFunc {
	return map[string]*startFunc{
		"AcquireStart": &t.AcquireStart, "WaitStart": &t.WaitStart, "BuildStart": &t.BuildStart, "CheckStart": &t.CheckStart,
		"PrepareStart": &t.PrepareStart, "ResetStart": &t.ResetStart, "DestroyStart": &t.DestroyStart,
	}
}

func dones(t *pool.Trace) map[string]*doneFunc {
	return map[string]*doneFunc{
		"AcquireDone": &t.AcquireDone, "WaitDone": &t.WaitDone, "BuildDone": &t.BuildDone, "CheckDone": &t.CheckDone,
		"PrepareDone": &t.PrepareDone, "ResetDone": &t.ResetDone, "DestroyDone": &t.DestroyDone,
	}
}

// traceAll has all functions of a Trace call fn with their names.
func traceAll(fn func(name string)) (t pool.Trace) {
	for name, f := range starts(&t) {
		*f = func(ctx context.Context, _ pool.Event) context.Context { fn(name); return ctx }
	}
	for name, f := range dones(&t) {
		*f = func(context.Context, pool.Event) { fn(name) }
	}
	t.Release = func(pool.Event) { fn("Release") }
	t.Revoke = func(pool.Event) { fn("Revoke") }
	t.Leak = func(pool.Leak) { fn("Leak") }
	t.Nested = func(pool.Event) { fn("Nested") }
	return t
}

// everything is the configuration of a pool of one with all hooks.
func everything() pool.Config[*thing] {
	cfg := sized(1)
	cfg.Health.Check = func(context.Context, *thing) error { return nil }
	cfg.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { return nil }
	cfg.Tenancy.Reset = func(context.Context, *thing) error { return nil }
	cfg.Guard.LeakAfter = time.Minute
	return cfg
}

// provoke has every function of a Trace called, in a pool of one.
func provoke(p *pool.Pool[*thing]) {
	for range 2 {
		_ = p.Do(background, "a", func(ctx context.Context, _ *thing) error {
			time.Sleep(2 * time.Minute) // Leak
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_ = p.Do(ctx, "a", nil) // Nested
			p.Revoke(nil, everyone)
			return nil
		})
		time.Sleep(time.Second) // Check before the next
	}
	_ = p.Do(background, "a", func(context.Context, *thing) error { return pool.ErrBadResource })
	synctest.Wait()
}

func TestEveryFunctionOfATraceIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told record[string]
		cfg := everything()
		cfg.Trace = traceAll(told.add)
		p := newPool(t, &factory{}, cfg)
		provoke(p)
		all := told.list()
		require.Subset(t, all, []string{"Release", "Revoke", "Leak", "Nested"})
		for name := range starts(&cfg.Trace) {
			require.Contains(t, all, name)
		}
		for name := range dones(&cfg.Trace) {
			require.Contains(t, all, name)
		}
	})
}

// Trouble of any kind in one function of the trace must cost neither a resource
// nor a lease. It may end the goroutine of the caller, never one of the pool.
func TestTroubleInATraceLosesNothing(t *testing.T) {
	names := append([]string{"Release", "Revoke", "Leak", "Nested"}, func() (all []string) {
		var trace pool.Trace
		for name := range starts(&trace) {
			all = append(all, name)
		}
		for name := range dones(&trace) {
			all = append(all, name)
		}
		return all
	}()...)
	for kind, trouble := range map[string]func(*pool.Pool[*thing]){
		"panic":  func(*pool.Pool[*thing]) { panic("the trace broke") },
		"Goexit": func(*pool.Pool[*thing]) { runtime.Goexit() },
		"calls": func(p *pool.Pool[*thing]) {
			p.Stats()
			holdersOf(p)
			p.Reset()
			_ = p.Resize(1)
			p.Revoke(nil, func(pool.Holder) bool { return false })
			p.Suspend()
			p.Resume()
			if l, ok := p.TryAcquire("b"); ok {
				l.Release()
			}
		},
		"close": func(p *pool.Pool[*thing]) { p.Close() },
	} {
		for _, name := range names {
			t.Run(kind+" in "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var p *pool.Pool[*thing]
					var log bytes.Buffer
					var calm atomic.Bool
					var calls atomic.Int32
					cfg := everything()
					cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
					cfg.Trace = traceAll(func(called string) {
						// Not each time, or a Reset at each build goes on for ever.
						if called == name && !calm.Load() && calls.Add(1) <= 3 {
							trouble(p)
						}
					})
					p = newPool(t, &factory{}, cfg)
					done := make(chan struct{})
					go func() {
						defer close(done)
						provoke(p)
					}()
					<-done
					synctest.Wait()
					calm.Store(true)
					if kind == "close" {
						_, err := p.Acquire(background, "a")
						require.ErrorIs(t, err, pool.ErrClosed)
						return
					}
					for range 3 {
						acquire(t, p, "a").Release()
						time.Sleep(time.Second)
					}
					require.Zero(t, p.Stats().InUse)
					require.Equal(t, 1, p.Stats().Warm)
					if kind == "panic" {
						require.Contains(t, log.String(), "the trace broke")
					}
				})
			})
		}
	}
}

// Invariant 3.
func TestGoexitInATraceEndsTheCallerAndKeepsTheCapacity(t *testing.T) {
	for name, acquires := range map[string]func(*pool.Pool[*thing]){
		"Acquire":    func(p *pool.Pool[*thing]) { _, _ = p.Acquire(background, "b") },
		"TryAcquire": func(p *pool.Pool[*thing]) { p.TryAcquire("b") },
	} {
		for _, hook := range []string{"AcquireStart", "AcquireDone"} {
			t.Run(name+", "+hook, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := sized(1)
					exit := func(e pool.Event) {
						if e.Tenant == "b" {
							runtime.Goexit()
						}
					}
					if hook == "AcquireStart" {
						cfg.Trace.AcquireStart = func(ctx context.Context, e pool.Event) context.Context { exit(e); return ctx }
					} else {
						cfg.Trace.AcquireDone = func(_ context.Context, e pool.Event) { exit(e) }
					}
					p := newPool(t, &factory{}, cfg)
					acquire(t, p, "a").Release()
					over := make(chan struct{})
					go func() {
						defer close(over)
						acquires(p)
						t.Error("it returned")
					}()
					<-over
					require.Empty(t, holdersOf(p))
					require.Zero(t, p.Stats().InUse)
					acquire(t, p, "c").Release()
				})
			})
		}
	}
}

// The context that a start function returns reaches the work and the matching
// done function.
func TestTheContextOfATraceIsHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key string
		marks := func(ctx context.Context) (all string) {
			for _, name := range []string{"Acquire", "Wait", "Build", "Check", "Prepare", "Reset", "Destroy"} {
				if ctx.Value(key(name)) != nil {
					all += name + " "
				}
			}
			return all
		}
		var told record[string]
		cfg := everything()
		for name, f := range starts(&cfg.Trace) {
			name := name[:len(name)-len("Start")]
			*f = func(ctx context.Context, _ pool.Event) context.Context {
				return context.WithValue(ctx, key(name), true)
			}
		}
		for name, f := range dones(&cfg.Trace) {
			*f = func(ctx context.Context, _ pool.Event) { told.add(name + ": " + marks(ctx)) }
		}
		cfg.Health.Check = func(ctx context.Context, _ *thing) error { told.add("check: " + marks(ctx)); return nil }
		cfg.Tenancy.Prepare = func(ctx context.Context, _ *thing, _ pool.Handover) error {
			told.add("prepare: " + marks(ctx))
			return nil
		}
		cfg.Tenancy.Reset = func(ctx context.Context, _ *thing) error { told.add("reset: " + marks(ctx)); return nil }
		f := &factory{build: func(ctx context.Context, _ int) error { told.add("build: " + marks(ctx)); return nil }}
		p := newPool(t, f, cfg)
		require.NoError(t, p.Do(background, "a", func(ctx context.Context, _ *thing) error {
			told.add("do: " + marks(ctx))
			return nil
		}))
		time.Sleep(time.Second)
		acquire(t, p, "a").Destroy()
		all := told.list()
		told.forget()
		acquire(t, p, "a").Release()
		time.Sleep(time.Second)
		told.forget()
		l, ok := p.TryAcquire("a")
		require.True(t, ok)
		tried := told.list()
		l.Release()
		first := []string{
			"build: Build ", "BuildDone: Build ", "WaitDone: Acquire Wait ", "prepare: Acquire Prepare ", "PrepareDone: Acquire Prepare ",
			"AcquireDone: Acquire ", "do: ", "reset: Reset ", "ResetDone: Reset ",
		}
		require.Equal(t, append(first,
			"check: Acquire Check ", "CheckDone: Acquire Check ", "prepare: Acquire Prepare ",
			"PrepareDone: Acquire Prepare ", "AcquireDone: Acquire ", "DestroyDone: Destroy ",
		), all)
		require.Equal(t, []string{
			"check: Acquire Check ", "CheckDone: Acquire Check ", "prepare: Acquire Prepare ",
			"PrepareDone: Acquire Prepare ", "AcquireDone: Acquire ",
		}, tried)
	})
}

func TestAStartFunctionMayReturnNoContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everything()
		for _, f := range starts(&cfg.Trace) {
			*f = func(context.Context, pool.Event) context.Context { return nil }
		}
		for name, f := range dones(&cfg.Trace) {
			*f = func(ctx context.Context, _ pool.Event) {
				if ctx == nil {
					t.Error(name)
				}
			}
		}
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "a").Release()
	})
}

func TestAnEventSaysWhatItIsAboutAndHowLongItTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const second = time.Second
		var told record[string]
		tell := func(name string, e pool.Event) {
			told.add(fmt.Sprintf("%s %s %d %v %v %s", name, e.Tenant, e.Resource, e.Took, e.Err, e.Retired))
		}
		cfg := everything()
		cfg.Guard.LeakAfter = 0
		for name, f := range starts(&cfg.Trace) {
			*f = func(ctx context.Context, e pool.Event) context.Context { tell(name, e); return ctx }
		}
		for name, f := range dones(&cfg.Trace) {
			*f = func(_ context.Context, e pool.Event) { tell(name, e) }
		}
		cfg.Trace.WaitStart, cfg.Trace.WaitDone = nil, nil // as builds begin at the same time
		cfg.Trace.Release = func(e pool.Event) { tell("Release", e) }
		broken := errors.New("broken")
		cfg.Health.Check = func(context.Context, *thing) error { time.Sleep(2 * second); return nil }
		cfg.Tenancy.Prepare = func(_ context.Context, th *thing, h pool.Handover) error {
			time.Sleep(3 * second)
			if h.Tenant == "b" && th.id == 2 {
				return broken
			}
			return nil
		}
		cfg.Tenancy.Reset = func(context.Context, *thing) error { time.Sleep(4 * second); return nil }
		f := &factory{
			build: func(_ context.Context, n int) error {
				time.Sleep(second)
				if n == 1 {
					return broken
				}
				return nil
			},
			end: func(*thing) { time.Sleep(5 * second) },
		}
		p := newPool(t, f, cfg)
		expect := func(want ...string) {
			t.Helper()
			require.Equal(t, want, told.list())
			told.forget()
		}
		_, err := p.Acquire(background, "a")
		require.ErrorIs(t, err, broken)
		expect("AcquireStart a 0 0s <nil> ", "BuildStart  1 0s <nil> ", "BuildDone  1 1s broken ",
			fmt.Sprintf("AcquireDone a 0 1s %v ", err))

		p.Reset() // or one would be built to find out
		l := acquire(t, p, "a")
		expect("AcquireStart a 0 0s <nil> ", "BuildStart  2 0s <nil> ", "BuildDone  2 1s <nil> ",
			"PrepareStart a 2 0s <nil> ", "PrepareDone a 2 3s <nil> ", "AcquireDone a 2 4s <nil> ")
		time.Sleep(7 * second)
		l.Release()
		l.Release()
		time.Sleep(10 * second)
		expect("Release a 2 7s <nil> ", "ResetStart a 2 0s <nil> ", "ResetDone a 2 4s <nil> ")

		l, ok := p.TryAcquire("a")
		require.True(t, ok)
		expect("AcquireStart a 0 0s <nil> ", "CheckStart a 2 0s <nil> ", "CheckDone a 2 2s <nil> ",
			"PrepareStart a 2 0s <nil> ", "PrepareDone a 2 3s <nil> ", "AcquireDone a 2 5s <nil> ")
		l.Release()
		time.Sleep(4*second + 1)
		told.list()
		told.forget()

		l = acquire(t, p, "b")
		expect("AcquireStart b 0 0s <nil> ", "PrepareStart b 2 0s <nil> ", "PrepareDone b 2 3s broken ",
			"DestroyStart  2 0s <nil> prepare failed", "DestroyDone  2 5s <nil> prepare failed",
			"BuildStart  3 0s <nil> ", "BuildDone  3 1s <nil> ",
			"PrepareStart b 3 0s <nil> ", "PrepareDone b 3 3s <nil> ", "AcquireDone b 3 12s <nil> ")
		l.Destroy()
		time.Sleep(10 * second)
		expect("Release b 3 0s <nil> ", "DestroyStart  3 0s <nil> destroyed", "DestroyDone  3 5s <nil> destroyed")
		told.list()
	})
}

func TestTheEndOfALeaseIsToldOnceAndOnlyIfItsHolderEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends record[pool.Event]
		var self pool.Lease[*thing]
		cfg := sized(1)
		cfg.Trace.Release = func(e pool.Event) {
			ends.add(e)
			self.Release() // ends it under the feet of its caller
		}
		f := &factory{}
		p := newPool(t, f, cfg)
		self = acquire(t, p, "a")
		self.Release()
		require.Len(t, ends.list(), 1)
		f.hijack(acquire(t, p, "b"))
		require.Len(t, ends.list(), 2)
		l := acquire(t, p, "c")
		p.Revoke(nil, everyone)
		time.Sleep(time.Minute)
		l.Release()
		l.Destroy()
		require.Panics(t, func() { l.Hijack() })
		require.Len(t, ends.list(), 2)
	})
}
