package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A caller without a deadline is told of no deadline, whatever took too long.
func TestATimeoutOfThePoolDoesNotLookLikeTheCallersDeadline(t *testing.T) {
	waits := map[string]func(context.Context) error{
		"heeds its context": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"wraps it":          func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("dial: %w", ctx.Err()) },
		"has its own":       func(context.Context) error { return &os.PathError{Op: "dial", Err: context.DeadlineExceeded} },
		"cancels its own":   func(context.Context) error { return &os.PathError{Op: "dial", Err: context.Canceled} },
		"ignores it":        func(context.Context) error { time.Sleep(time.Minute); return nil },
	}
	for how, wait := range waits {
		for what, c := range map[string]struct {
			cfg  func() pool.Config[*thing]
			is   error
			says string
		}{
			"Constructor": {func() pool.Config[*thing] { return sized(2) }, pool.ErrBuildTimeout, "timeout of 10s"},
			"Prepare": {func() pool.Config[*thing] {
				return prepared(2, func(ctx context.Context, _ *thing, _ pool.Handover) error { return wait(ctx) })
			}, pool.ErrHookTimeout, "timeout of 5s"},
			"Prepare inline": {func() pool.Config[*thing] {
				cfg := prepared(2, func(ctx context.Context, _ *thing, _ pool.Handover) error { return wait(ctx) })
				cfg.Tenancy.PrepareInline = true
				return cfg
			}, pool.ErrHookTimeout, "timeout of 5s"},
		} {
			t.Run(what+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &factory{}
					if what == "Constructor" {
						f.build = func(ctx context.Context, _ int) error { return wait(ctx) }
					}
					p := newPool(t, f, c.cfg())
					err := begin(background, p, "a").failed(t)
					require.NotErrorIs(t, err, context.DeadlineExceeded)
					require.NotErrorIs(t, err, context.Canceled)
					if strings.Contains(how, "its own") {
						var path *os.PathError
						require.ErrorAs(t, err, &path)
						require.NotErrorIs(t, err, c.is)
					} else {
						require.ErrorIs(t, err, c.is)
						require.ErrorContains(t, err, c.says)
					}
					time.Sleep(time.Hour)
				})
			})
		}
	}
}

// What the caller's own deadline ends stays that.
func TestTheDeadlineOfACallerStaysThatOfTheCaller(t *testing.T) {
	for _, inline := range []bool{false, true} {
		t.Run(fmt.Sprint("inline ", inline), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := prepared(2, func(ctx context.Context, _ *thing, _ pool.Handover) error {
					<-ctx.Done()
					return ctx.Err()
				})
				cfg.Tenancy.PrepareInline = inline
				p := newPool(t, &factory{}, cfg)
				ctx, cancel := context.WithTimeout(background, time.Second)
				defer cancel()
				err := begin(ctx, p, "a").failed(t)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.NotErrorIs(t, err, pool.ErrHookTimeout)
				time.Sleep(time.Hour)
			})
		})
	}
}

// MarkBad gets the error that the hook returned.
func TestMarkBadSeesTheErrorOfAHookThatTookTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errLost := errors.New("connection lost")
		cfg := prepared(2, func(ctx context.Context, th *thing, _ pool.Handover) error {
			if th.id > 1 {
				return nil
			}
			<-ctx.Done()
			return errors.Join(errLost, ctx.Err())
		})
		seen := false
		cfg.Health.MarkBad = func(err error) bool {
			seen = seen || errors.Is(err, errLost)
			return false
		}
		acquire(t, newPool(t, &factory{}, cfg), "a").Release()
		require.True(t, seen)
	})
}
