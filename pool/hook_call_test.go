package pool_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestAHookMayCallThePool(t *testing.T) {
	for name, call := range map[string]func(*pool.Pool[*thing]){
		"Acquire": func(p *pool.Pool[*thing]) {
			l, err := p.Acquire(background, "hook")
			if err != nil || l.Value().id == 1 {
				panic(fmt.Sprint("acquired ", l, err))
			}
			l.Release()
			if l, ok := p.TryAcquire("hook"); ok {
				l.Destroy()
			}
		},
		"Stats": func(p *pool.Pool[*thing]) {
			p.Stats()
			for range p.Tenants() {
				p.Stats()
			}
			for range p.Holders() {
				p.Stats()
			}
		},
		"Reset":          func(p *pool.Pool[*thing]) { p.Reset() },
		"ResetGradually": func(p *pool.Pool[*thing]) { p.ResetGradually() },
		"Suspend":        func(p *pool.Pool[*thing]) { p.Suspend(); p.Resume() },
		"Resize": func(p *pool.Pool[*thing]) {
			for _, n := range []int{0, 1, 2} {
				if err := p.Resize(n); err != nil {
					panic(err)
				}
			}
		},
		"Revoke": func(p *pool.Pool[*thing]) { p.Revoke(nil, func(pool.Holder) bool { return true }) },
	} {
		t.Run(name, func(t *testing.T) {
			forEachHook(t, 0, func(_ context.Context, p *pool.Pool[*thing], _ *thing) error {
				call(p)
				return nil
			}, func(t *testing.T, h hook, f *factory, p *pool.Pool[*thing]) {
				acquire(t, p, "a").Release()
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Zero(t, h.failures(p.Stats()))
				require.Zero(t, p.Stats().InUse)
				for _, l := range []pool.Lease[*thing]{acquire(t, p, "a"), acquire(t, p, "b")} {
					l.Release()
				}
			})
		})
	}
}

func TestAHookMayCloseThePool(t *testing.T) {
	forEachHook(t, 0, func(ctx context.Context, p *pool.Pool[*thing], _ *thing) error {
		p.Close()
		<-ctx.Done()
		return ctx.Err()
	}, func(t *testing.T, h hook, f *factory, p *pool.Pool[*thing]) {
		_, err := p.Acquire(background, "a")
		require.ErrorIs(t, err, pool.ErrClosed)
		synctest.Wait()
		require.Zero(t, p.Stats().InUse)
		require.Equal(t, f.buildCount(), f.endCount())
	})
}

// A hook that waits for what only its own end could free gives up in time.
func TestAHookThatWaitsForItsOwnResourceEndsWithItsTimeout(t *testing.T) {
	for name, h := range hooks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p *pool.Pool[*thing]
				cfg := sized(1)
				h.set(&cfg, func(ctx context.Context, th *thing) error {
					if th.id > 1 {
						return nil
					}
					_, err := p.Acquire(ctx, "hook")
					return err
				})
				h.timeout(&cfg, time.Second)
				p = newPool(t, &factory{}, cfg)
				acquire(t, p, "a").Release()
				time.Sleep(time.Second)
				l := acquire(t, p, "a")
				require.Equal(t, 2, l.Value().id)
				l.Release()
				synctest.Wait()
				require.EqualValues(t, 1, h.failures(p.Stats()))
			})
		})
	}
}
