package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A handler calls a function for every record that is logged.
type handler func(slog.Record)

func (h handler) Enabled(context.Context, slog.Level) bool { return true }

func (h handler) Handle(_ context.Context, r slog.Record) error { h(r); return nil }

func (h handler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h handler) WithGroup(string) slog.Handler { return h }

func TestTheLoggerIsToldWhatGoesWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log record[string]
		cfg := everything()
		cfg.DestroyTimeout = time.Second
		cfg.Health.MarkBad = func(err error) bool { return errors.Is(err, pool.ErrBadResource) }
		cfg.Logger = slog.New(handler(func(r slog.Record) {
			var buffer bytes.Buffer
			text := slog.NewTextHandler(&buffer, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == "stack" {
					return slog.Attr{}
				}
				return a
			}})
			_ = text.Handle(background, r)
			log.add(buffer.String())
		}))
		f := &factory{
			build: func(_ context.Context, n int) error {
				if n == 1 {
					return errors.New("refused")
				}
				return nil
			},
			end: func(th *thing) {
				time.Sleep(2 * time.Second)
				panic("stuck")
			},
		}
		p := newPool(t, f, cfg)
		said := func(messages ...string) {
			t.Helper()
			all := log.list()
			require.Len(t, all, len(messages), "%v", all)
			for i, m := range messages {
				require.Contains(t, all[i], "level=WARN")
				require.Contains(t, all[i], m)
			}
			log.forget()
		}
		_, err := p.Acquire(background, "a")
		require.Error(t, err)
		said(`msg="pool: build failed" error=refused`)
		time.Sleep(time.Second)
		require.NoError(t, p.Do(background, "a", func(ctx context.Context, _ *thing) error {
			time.Sleep(time.Minute)
			said(`msg="pool: lease held for long" tenant=a resource=2 held=1m0s`)
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := p.Acquire(ctx, "b")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			said(`msg="pool: dead-lock: every lease is held by a caller that waits for another" tenant=b`)
			p.Revoke(errors.New("maintenance"), everyone)
			said(`msg="pool: lease revoked" tenant=a resource=2 held=1m1s cause="pool: lease revoked: maintenance"`)
			return nil
		}))
		said(`msg="pool: lease held for long has ended" tenant=a resource=2 held=1m1s`)
		require.ErrorIs(t, p.Do(background, "a", func(context.Context, *thing) error {
			return pool.ErrBadResource
		}), pool.ErrBadResource)
		said(`msg="pool: every resource is condemned" error="pool: bad resource"`)
		time.Sleep(3 * time.Second)
		said(`msg="pool: destructor hangs" resource=2 retired="bad resource" timeout=1s`,
			`msg="pool: destructor failed" resource=2 error="Destructor panicked: stuck"`)
	})
}

func TestNothingIsLoggedByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		defer slog.SetDefault(slog.Default())
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		cfg := everything()
		cfg.Trace = traceAll(func(string) { panic("the trace broke") })
		f := &factory{end: func(*thing) { panic("stuck") }}
		p := newPool(t, f, cfg)
		provoke(p)
		require.Empty(t, log.String())
	})
}

// Whoever is told keeps the pool from nothing, and what cannot be told is
// counted rather than kept.
func TestReportsAreBoundedAndInOrderIfNobodyListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log record[string]
		listen := make(chan struct{})
		cfg := sized(1)
		cfg.Logger = slog.New(handler(func(r slog.Record) {
			<-listen
			line := r.Message
			r.Attrs(func(a slog.Attr) bool {
				line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
				return true
			})
			log.add(line)
		}))
		n := 0
		f := &factory{end: func(*thing) { n++; panic(fmt.Sprintf("number %d.", n)) }}
		p := newPool(t, f, cfg)
		const destroyed = 1500
		for range destroyed {
			acquire(t, p, "a").Destroy()
			synctest.Wait()
		}
		require.EqualValues(t, destroyed, p.Stats().DestroyFailures)
		close(listen)
		all := log.list()
		dropped, next := 0, 1
		for _, line := range all {
			if _, err := fmt.Sscanf(line, "pool: too many reports at once dropped=%d", &dropped); err == nil {
				continue
			}
			require.Contains(t, line, fmt.Sprintf("number %d.", next))
			next++
		}
		require.Positive(t, dropped)
		require.Equal(t, destroyed, dropped+next-1)
		require.LessOrEqual(t, len(all), 1100)

		acquire(t, p, "a").Destroy()
		require.Contains(t, log.list()[len(all)], fmt.Sprintf("number %d.", destroyed+1), "it goes on")
	})
}

func TestTroubleInTheLoggerKeepsNothingElseFromBeingTold(t *testing.T) {
	for name, trouble := range map[string]func(*pool.Pool[*thing]){
		"panic":  func(*pool.Pool[*thing]) { panic("the disk is full") },
		"Goexit": func(*pool.Pool[*thing]) { runtime.Goexit() },
		"calls": func(p *pool.Pool[*thing]) {
			p.Stats()
			if l, ok := p.TryAcquire("b"); ok {
				l.Release()
			}
			p.Revoke(nil, everyone)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p *pool.Pool[*thing]
				messages := 0
				cfg := sized(1)
				cfg.Logger = slog.New(handler(func(slog.Record) {
					messages++
					trouble(p)
				}))
				var revoked record[pool.Event]
				cfg.Trace.Revoke = revoked.add
				p = newPool(t, &factory{}, cfg)
				for i := range 3 {
					l := acquire(t, p, "a")
					p.Revoke(nil, everyone)
					require.Len(t, revoked.list(), i+1)
					require.Equal(t, i+1, messages)
					l.Release()
				}
			})
		})
	}
}
