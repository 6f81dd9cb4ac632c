package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestATenantThatNothingCanBePreparedForIsPutOff(t *testing.T) {
	for _, try := range []bool{false, true} {
		t.Run(fmt.Sprint("TryAcquire ", try), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var works atomic.Bool
				f := &factory{build: takes(time.Millisecond)}
				cfg := prepared(4, func(_ context.Context, _ *thing, h pool.Handover) error {
					if h.Tenant == "bad" && !works.Load() {
						return errors.New("unknown role")
					}
					return nil
				})
				p := newPool(t, f, cfg)
				ask := func() error {
					if try {
						if l, ok := p.TryAcquire("bad"); ok {
							l.Release()
							return nil
						}
						return errors.New("no")
					}
					l, err := p.Acquire(background, "bad")
					l.Release()
					return err
				}
				ctx, cancel := context.WithTimeout(background, time.Minute)
				defer cancel()
				for range 5 {
					go func() {
						for ctx.Err() == nil {
							if ask() == nil {
								t.Error("prepared")
							}
							time.Sleep(time.Millisecond)
						}
					}()
				}
				for ctx.Err() == nil {
					start := time.Now()
					l, err := p.Acquire(background, "good")
					require.NoError(t, err)
					require.LessOrEqual(t, time.Since(start), 20*time.Millisecond)
					l.Release()
					time.Sleep(50 * time.Millisecond)
				}
				time.Sleep(2 * time.Second)
				require.LessOrEqual(t, f.buildCount(), 400, "three for each try in a minute, with a pause of a second at most, half of it chance")

				works.Store(true)
				for !try {
					l, err := p.Acquire(background, "bad")
					if err == nil {
						l.Release()
						break
					}
					var e *pool.AcquireError
					require.ErrorAs(t, err, &e)
					require.Equal(t, fairshare.NotPrepared, e.Reason)
					require.LessOrEqual(t, e.Estimate, time.Second)
					require.ErrorContains(t, err, "unknown role")
					time.Sleep(e.Estimate)
				}
			})
		})
	}
}

// Whoever waits when the tenant is put off is refused without another try.
func TestThoseWhoWaitForATenantThatIsPutOffCostNothing(t *testing.T) {
	for _, c := range []struct{ size, waiting int }{{1, 50}, {4, 200}, {20, 20}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{build: takes(time.Millisecond)}
				cfg := prepared(c.size, func(_ context.Context, _ *thing, h pool.Handover) error {
					if h.Tenant == "bad" {
						return errors.New("unknown role")
					}
					return nil
				})
				p := newPool(t, f, cfg)
				var held []pool.Lease[*thing]
				for range c.size {
					held = append(held, acquire(t, p, "good"))
				}
				var waiting []*pending
				for range c.waiting {
					waiting = append(waiting, begin(background, p, "bad"))
				}
				for _, l := range held {
					l.Release()
				}
				for _, w := range waiting {
					require.ErrorContains(t, w.failed(t), "unknown role")
				}
				require.LessOrEqual(t, p.Stats().PrepareFailures, uint64(3*c.size), "three for each that had begun")
			})
		})
	}
}

// A failure is over at once when a resource could be prepared: who waits behind it
// does not suffer.
func TestATenantThatIsPutOffIsServedAgainAfterOneSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var works atomic.Bool
		p := newPool(t, &factory{}, prepared(2, func(context.Context, *thing, pool.Handover) error {
			if !works.Load() {
				return errBroken
			}
			return nil
		}))
		begin(background, p, "a").failed(t)
		works.Store(true)
		time.Sleep(time.Second)
		one, other := acquire(t, p, "b"), acquire(t, p, "b")
		var waiting []*pending
		for range 10 { // the first of them waits for an hour, which is no failure
			waiting = append(waiting, begin(background, p, "a"))
		}
		time.Sleep(time.Hour)
		one.Release()
		for _, w := range waiting {
			w.granted(t).Release()
		}
		other.Release()
	})
}

func TestResetResumeAndResizeEndTheDelayOfATenant(t *testing.T) {
	for name, do := range map[string]func(*pool.Pool[*thing]){
		"Reset":          (*pool.Pool[*thing]).Reset,
		"ResetGradually": (*pool.Pool[*thing]).ResetGradually,
		"Resume":         (*pool.Pool[*thing]).Resume,
		"Resize":         func(p *pool.Pool[*thing]) { _ = p.Resize(3) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				works := false
				cfg := prepared(4, func(context.Context, *thing, pool.Handover) error {
					if !works {
						return errBroken
					}
					return nil
				})
				cfg.Backoff = pool.Backoff{Min: time.Hour, Max: time.Hour}
				p := newPool(t, &factory{}, cfg)
				begin(background, p, "a").failed(t)
				works = true
				begin(background, p, "a").failed(t)
				do(p)
				acquire(t, p, "a").Release()
			})
		})
	}
}

// A tenant that nothing can be prepared for is no reason to check what is idle.
func TestATenantThatIsPutOffDoesNotHaveOthersChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := 0
		cfg := checked(20, func(context.Context, *thing) error { checks++; return nil })
		cfg.Health.CheckAfter = time.Hour
		cfg.Tenancy.Prepare = func(_ context.Context, _ *thing, h pool.Handover) error {
			if h.Tenant == "bad" {
				return errors.New("unknown role")
			}
			return nil
		}
		p := newPool(t, &factory{}, cfg)
		stock(t, p, 20)
		for range 60 {
			time.Sleep(time.Second)
			begin(background, p, "bad").failed(t)
			acquire(t, p, "good").Release()
		}
		require.LessOrEqual(t, checks, 3*20, "after the first failure, which might be the death of a resource")
	})
}
