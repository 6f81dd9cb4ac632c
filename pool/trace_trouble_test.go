package pool_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// Invariants 3 and 7: whatever happens in the hooks, and whether the slot is there
// already or not, nobody else waits for longer than it takes.
func TestTroubleInTheHooksOfAWaitPassesTheSlotOn(t *testing.T) {
	for kind, trouble := range map[string]func(){
		"panic":  func() { panic("the trace broke") },
		"Goexit": runtime.Goexit,
	} {
		for _, hook := range []string{"WaitStart", "WaitDone"} {
			for _, granted := range []bool{false, true} {
				t.Run(fmt.Sprint(kind, " in ", hook, ", granted ", granted), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var log bytes.Buffer
						cfg := sized(1)
						cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
						var held pool.Lease[*thing]
						broken := func(tenant string) {
							if tenant != "b" {
								return
							}
							if granted {
								held.Release()
							}
							trouble()
						}
						if hook == "WaitStart" {
							cfg.Trace.WaitStart = func(ctx context.Context, e pool.Event) context.Context {
								broken(e.Tenant)
								return ctx
							}
						} else {
							cfg.Trace.WaitDone = func(_ context.Context, e pool.Event) { broken(e.Tenant) }
						}
						p := newPool(t, &factory{}, cfg)
						held = acquire(t, p, "a")
						returned := false
						var b pool.Lease[*thing]
						over := make(chan struct{})
						go func() {
							defer close(over)
							b, _ = p.Acquire(background, "b")
							returned = true
						}()
						synctest.Wait()
						c := begin(background, p, "c")
						held.Release()
						<-over
						require.Equal(t, kind == "panic", returned)
						b.Release()
						c.granted(t).Release()
						synctest.Wait()
						require.Zero(t, p.Stats().InUse)
						require.Zero(t, p.Stats().Waiting)
						if kind == "panic" {
							require.Contains(t, log.String(), "the trace broke")
						}
					})
				})
			}
		}
	}
}

// Goexit in a hook of a wait that has failed, or was never one, loses nothing
// either.
func TestTroubleInTheHooksOfARefusalLosesNothing(t *testing.T) {
	for _, hook := range []string{"WaitStart", "WaitDone"} {
		synctest.Test(t, func(t *testing.T) {
			cfg := sized(1)
			cfg.Sharing.Default.MaxWaiting = 1
			refused := 0
			trouble := func(e pool.Event) {
				if e.Tenant == "b" {
					refused++
					runtime.Goexit()
				}
			}
			if hook == "WaitStart" {
				cfg.Trace.WaitStart = func(_ context.Context, e pool.Event) context.Context { trouble(e); return nil }
			} else {
				cfg.Trace.WaitDone = func(_ context.Context, e pool.Event) { trouble(e) }
			}
			p := newPool(t, &factory{}, cfg)
			held := acquire(t, p, "a")
			gone, cancel := context.WithCancel(background)
			cancel()
			for _, ctx := range []context.Context{gone, background} {
				w := begin(ctx, p, "b")
				if hook == "WaitDone" && ctx == background {
					held.Release()
				}
				<-w.done
				require.NoError(t, w.err, "it never returned")
			}
			require.Equal(t, 2, refused)
			held.Release()
			acquire(t, p, "c").Release()
			require.Zero(t, p.Stats().InUse)
		})
	}
}

// In real time, so that the race detector sees it: hooks that call back into the
// pool, while it is busy.
func TestHooksOfAWaitMayCallBack(t *testing.T) {
	var p *pool.Pool[*thing]
	var calls atomic.Int64
	call := func() {
		switch n := calls.Add(1); n % 8 {
		case 0:
			_ = p.Resize(1 + int(n/8)%4)
		case 1:
			if l, ok := p.TryAcquire("hook"); ok {
				l.Release()
			}
		case 2:
			p.Stats()
		case 3:
			_ = p.SetShare("t1", fairshare.Share{Weight: float64(1 + n%3)})
		case 4:
			holdersOf(p)
		}
	}
	cfg := sized(4)
	var balance atomic.Int64
	cfg.Trace.WaitStart = func(ctx context.Context, _ pool.Event) context.Context { balance.Add(1); call(); return ctx }
	cfg.Trace.WaitDone = func(context.Context, pool.Event) { call(); balance.Add(-1) }
	cfg.Trace.Release = func(pool.Event) { call() }
	p = newPool(t, &factory{}, cfg)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for n := range 200 {
				ctx, cancel := context.WithCancel(background)
				if n%5 == 0 {
					go cancel()
				}
				if l, err := p.Acquire(ctx, fmt.Sprint("t", i%4)); err == nil {
					l.Release()
				}
				cancel()
			}
		})
	}
	group.Wait()
	require.Positive(t, calls.Load())
	require.Zero(t, balance.Load(), "each wait that began has ended")
	require.Zero(t, p.Stats().InUse)
	require.Zero(t, p.Stats().Waiting)
}
