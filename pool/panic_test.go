package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

var errPanic = errors.New("out of\npaper")

// requirePanic fails unless err is the panic of errPanic in the named function,
// in one line that tells nothing of the program's files.
func requirePanic(t *testing.T, err error, function string) {
	t.Helper()
	var e *pool.PanicError
	require.ErrorAs(t, err, &e)
	require.Equal(t, function, e.Func)
	require.Equal(t, errPanic, e.Value)
	require.Contains(t, e.Stack, "panic_test.go:")
	require.ErrorIs(t, err, errPanic)
	require.Contains(t, err.Error(), function+` panicked: out of\npaper`)
	require.NotContains(t, err.Error(), "\n")
	require.NotContains(t, err.Error(), ".go")
	require.LessOrEqual(t, strings.Count(err.Error(), "pool:"), 1)
}

func TestAPanicOfAConstructorOrHookHasItsStackInAField(t *testing.T) {
	type config = pool.Config[*thing]
	var fail bool
	breaks := func() {
		if fail {
			panic(errPanic)
		}
	}
	for name, c := range map[string]struct {
		function string
		set      func(*config, *factory)
		acquire  bool // it ends an Acquire too
	}{
		"Constructor": {"Constructor", func(c *config, f *factory) {
			f.build = func(context.Context, int) error { breaks(); return nil }
		}, true},
		"Check": {"Check", func(c *config, _ *factory) {
			c.Health.Check = func(context.Context, *thing) error { breaks(); return nil }
			c.Health.CheckAfter = 1
		}, false},
		"Prepare": {"Prepare", func(c *config, _ *factory) {
			c.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { breaks(); return nil }
		}, true},
		"Prepare inline": {"Prepare", func(c *config, _ *factory) {
			c.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { breaks(); return nil }
			c.Tenancy.PrepareInline = true
		}, true},
		"Reset": {"Reset", func(c *config, _ *factory) {
			c.Tenancy.Reset = func(context.Context, *thing) error { breaks(); return nil }
		}, false},
		"Destructor": {"Destructor", func(c *config, f *factory) {
			c.Age.MaxUses = 1
			f.end = func(*thing) { breaks() }
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fail = false
				var events record[pool.Event]
				done := func(_ context.Context, e pool.Event) { events.add(e) }
				f, cfg := &factory{}, sized(4)
				c.set(&cfg, f)
				cfg.Trace = pool.Trace{BuildDone: done, CheckDone: done, PrepareDone: done, ResetDone: done, DestroyDone: done}
				p := newPool(t, f, cfg)
				if c.function != "Constructor" {
					l := acquire(t, p, "a") // now there is one to be checked
					time.Sleep(time.Second)
					fail = c.function != "Destructor"
					l.Release()
					synctest.Wait()
				}
				time.Sleep(time.Second)
				fail = true
				l, err := p.Acquire(background, "a")
				if c.acquire {
					requirePanic(t, err, c.function)
				} else if err == nil {
					l.Release()
				}
				synctest.Wait()
				fail = false
				reported := 0
				for _, e := range events.list() {
					if e.Err != nil {
						requirePanic(t, e.Err, c.function)
						reported++
					}
				}
				require.NotZero(t, reported)
				stats := p.Stats()
				switch name {
				case "Constructor":
					requirePanic(t, stats.BuildErr, name)
				case "Destructor":
					requirePanic(t, stats.DestroyErr, name)
				}
				time.Sleep(time.Minute)
				acquire(t, p, "b").Release() // nothing is lost
			})
		})
	}
}

func TestAPanicWithoutACallerToTellIsLoggedWithItsStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f, cfg := &factory{}, sized(1)
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		cfg.Health.MarkBad = func(error) bool { panic(errPanic) }
		cfg.Trace.AcquireStart = func(context.Context, pool.Event) context.Context { panic(errPanic) }
		cfg.Trace.BuildDone = func(context.Context, pool.Event) { panic(errPanic) }
		f.end = func(*thing) { panic(errPanic) }
		p := newPool(t, f, cfg)
		require.Error(t, p.Do(background, "a", func(context.Context, *thing) error {
			return fmt.Errorf("%w: it broke", pool.ErrBadResource)
		}))
		synctest.Wait()
		for _, function := range []string{"MarkBad", "Trace", "Destructor"} {
			require.Contains(t, log.String(), `error="`+function+` panicked: out of\\npaper" stack="goroutine`)
		}
	})
}

// Goexit is no panic: nothing has a stack to show.
func TestAConstructorThatCallsGoexitSaysSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { runtime.Goexit(); return nil }}
		e := begin(background, newPool(t, f, sized(1)), "a").failed(t)
		require.Equal(t, fairshare.BuildFailing, e.Reason)
		require.Equal(t, 1, strings.Count(e.Error(), "Constructor called runtime.Goexit"))
	})
}
