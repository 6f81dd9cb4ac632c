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

var errFailover = errors.New("read only: failed over")

func isFailover(err error) bool { return errors.Is(err, errFailover) }

func TestOneErrorRetiresTheGenerationOnceHoweverOftenItIsMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 100
		f := &factory{}
		cfg := sized(size + 1)
		cfg.Health.MarkBad = isFailover
		p := newPool(t, f, cfg)
		idle := acquire(t, p, "idle")
		start := make(chan struct{})
		var all sync.WaitGroup
		for i := range size {
			all.Go(func() {
				_ = p.Do(background, fmt.Sprint(i%7), func(context.Context, *thing) error {
					<-start
					if i > 0 {
						time.Sleep(time.Duration(i) * time.Millisecond)
					}
					return fmt.Errorf("query %d: %w", i, errFailover)
				})
			})
		}
		synctest.Wait()
		idle.Release()
		require.Equal(t, 1, p.Stats().Warm)
		close(start)
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Condemned)
		require.Zero(t, p.Stats().Warm, "the idle one goes at once")
		require.Equal(t, size-1, p.Stats().Stale, "the others on return")
		young := acquire(t, p, "a")
		all.Wait()
		synctest.Wait()
		stats := p.Stats()
		require.EqualValues(t, 1, stats.Condemned)
		require.EqualValues(t, size+1, stats.Retired[pool.Replaced])
		require.Equal(t, size+2, f.buildCount())
		young.Release()
		require.Equal(t, 1, p.Stats().Warm, "the new generation stays")
	})
}

func TestTheNextGenerationCanBeCondemnedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(2)
		cfg.Health.MarkBad = isFailover
		p := newPool(t, &factory{}, cfg)
		for range 3 {
			err := p.Do(background, "a", func(context.Context, *thing) error { return errFailover })
			require.ErrorIs(t, err, errFailover)
			err = p.Do(background, "a", func(context.Context, *thing) error { return errBroken })
			require.ErrorIs(t, err, errBroken)
		}
		require.EqualValues(t, 3, p.Stats().Condemned)
	})
}

func TestAnErrorOfAHookMayCondemnTheGeneration(t *testing.T) {
	hook := func(_ context.Context, th *thing) error {
		if th.id <= 2 {
			return errFailover
		}
		return nil
	}
	for name, set := range map[string]func(*pool.Config[*thing]){
		"Check": func(cfg *pool.Config[*thing]) { cfg.Health.Check = hook },
		"KeepAlive": func(cfg *pool.Config[*thing]) {
			cfg.Health.Check = hook
			cfg.Health.CheckAfter, cfg.Health.KeepAlive = time.Hour, time.Second
		},
		"Prepare": func(cfg *pool.Config[*thing]) {
			cfg.Tenancy.Prepare = func(ctx context.Context, th *thing, h pool.Handover) error {
				if h.Fresh {
					return nil
				}
				return hook(ctx, th)
			}
		},
		"Reset": func(cfg *pool.Config[*thing]) { cfg.Tenancy.Reset = hook },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				cfg := sized(2)
				cfg.Health.MarkBad = isFailover
				set(&cfg)
				p := newPool(t, f, cfg)
				one, two := acquire(t, p, "a"), acquire(t, p, "a")
				one.Release()
				two.Release()
				time.Sleep(time.Minute)
				l := acquire(t, p, "a")
				require.Greater(t, l.Value().id, 2)
				synctest.Wait()
				require.Equal(t, 2, f.endCount())
				require.EqualValues(t, 1, p.Stats().Condemned)
				l.Release()
			})
		})
	}
}

// Nobody waits for that hook any longer, but its error is heard.
func TestAnErrorMetWithoutItsCallerMayCondemnTheGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := prepared(1, func(context.Context, *thing, pool.Handover) error {
			time.Sleep(time.Second)
			return errFailover
		})
		cfg.Health.MarkBad = isFailover
		p := newPool(t, &factory{}, cfg)
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		defer cancel()
		begin(ctx, p, "a").failed(t)
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Condemned)
	})
}

func TestAMarkBadThatPanicsCondemnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(1)
		cfg.Health.MarkBad = func(error) bool { panic("undecided") }
		p := newPool(t, &factory{}, cfg)
		err := p.Do(background, "a", func(context.Context, *thing) error { return errFailover })
		require.ErrorIs(t, err, errFailover)
		require.Zero(t, p.Stats().Condemned)
		require.Equal(t, 1, p.Stats().Warm)
	})
}

func TestMarkBadIsNotAskedAboutSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := checked(1, func(context.Context, *thing) error { return nil })
		cfg.Health.MarkBad = func(err error) bool { t.Errorf("asked about %v", err); return false }
		p := newPool(t, &factory{}, cfg)
		require.NoError(t, p.Do(background, "a", func(context.Context, *thing) error { return nil }))
		time.Sleep(time.Second)
		synctest.Wait()
		require.NoError(t, p.Do(background, "a", func(context.Context, *thing) error { return nil }))
	})
}
