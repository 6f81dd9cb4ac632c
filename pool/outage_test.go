package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A server that things are connections to: it can refuse them, or let them hang.
type server struct {
	mu    sync.Mutex
	state string // "", "refuses" or "hangs"
	limit int    // connections that it has room for, 0: any number
	f     *factory
	tries int
}

func (s *server) turn(state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

func (s *server) connect(ctx context.Context, _ int) error {
	s.mu.Lock()
	state, limit := s.state, s.limit
	s.tries++
	s.mu.Unlock()
	switch {
	case state == "refuses":
		return errors.New("connection refused")
	case state == "hangs":
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(5 * time.Millisecond)
	if _, live, dying := s.f.count(); limit > 0 && live+dying >= limit {
		return errors.New("too many connections")
	}
	return nil
}

func serve(t *testing.T, cfg pool.Config[*thing]) (*server, *factory, *pool.Pool[*thing]) {
	f := &factory{}
	s := &server{f: f}
	f.build = s.connect
	return s, f, newPool(t, f, cfg)
}

// A visit is one call of Acquire: when it came, how long it took, and its error.
type visit struct {
	at   time.Time
	took time.Duration
	err  error
}

// visits has somebody come every so often for so long, with some patience, and
// returns them in the order in which they ended.
func visits(p *pool.Pool[*thing], every, during, patience time.Duration) []visit {
	var mu sync.Mutex
	var all []visit
	var guests sync.WaitGroup
	for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(every) {
		guests.Go(func() {
			ctx, cancel := context.WithTimeout(background, patience)
			defer cancel()
			v := visit{at: time.Now()}
			l, err := p.Acquire(ctx, "a")
			v.took, v.err = time.Since(v.at), err
			if err == nil {
				time.Sleep(time.Millisecond)
				l.Release()
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, v)
		})
	}
	guests.Wait()
	return all
}

// firstServed is how long after the given time somebody was served first.
func firstServed(all []visit, after time.Time) time.Duration {
	first := time.Duration(-1)
	for _, v := range all {
		if end := v.at.Add(v.took); v.err == nil && end.After(after) && (first < 0 || end.Sub(after) < first) {
			first = end.Sub(after)
		}
	}
	return first
}

func TestAnOutageEndsAboutWhenTheServerIsBack(t *testing.T) {
	for _, c := range []struct {
		state   string
		outage  time.Duration
		backoff pool.Backoff
		within  time.Duration
	}{
		{"refuses", time.Second, pool.Backoff{}, 1100 * time.Millisecond},
		{"refuses", 12 * time.Second, pool.Backoff{}, 1100 * time.Millisecond},
		{"refuses", 5 * time.Minute, pool.Backoff{}, 1100 * time.Millisecond},
		{"refuses", 5 * time.Minute, pool.Backoff{Wait: true}, 1100 * time.Millisecond},
		{"refuses", time.Hour, pool.Backoff{Max: 100 * time.Millisecond}, 200 * time.Millisecond},
		{"refuses", time.Hour, pool.Backoff{Min: 20 * time.Second, Max: 20 * time.Second}, 20100 * time.Millisecond},
		{"hangs", 30 * time.Second, pool.Backoff{}, 2100 * time.Millisecond},
		{"hangs", 5 * time.Minute, pool.Backoff{}, 2100 * time.Millisecond},
		{"hangs", 5 * time.Minute, pool.Backoff{Wait: true}, 2100 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(c.state, c.outage, c.backoff), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sized(10)
				cfg.Backoff = c.backoff
				s, _, p := serve(t, cfg)
				s.turn(c.state)
				back := time.Now().Add(c.outage)
				time.AfterFunc(c.outage, func() { s.turn("") })
				all := visits(p, 100*time.Millisecond, c.outage+30*time.Second, 5*time.Second)
				first := firstServed(all, back)
				require.Positive(t, first)
				require.LessOrEqual(t, first, c.within)
			})
		})
	}
}

// A dial that hangs is not the last: there is another while somebody waits, even
// if none has failed yet.
func TestAShortBlackHoleEndsSoonForAPoolThatKnowsHowLongABuildTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(10)
		s, _, p := serve(t, cfg)
		acquire(t, p, "a").Destroy()
		s.turn("hangs")
		back := time.Now().Add(time.Second)
		time.AfterFunc(time.Second, func() { s.turn("") })
		all := visits(p, 100*time.Millisecond, 10*time.Second, 5*time.Second)
		require.LessOrEqual(t, firstServed(all, back), time.Second)
	})
}

func TestInAnOutageCallersFailAtOnceWithTheLastError(t *testing.T) {
	for _, state := range []string{"refuses", "hangs"} {
		t.Run(state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := sized(10)
				cfg.BuildTimeout = 3 * time.Second
				s, _, p := serve(t, cfg)
				s.turn(state)
				_ = visits(p, 100*time.Millisecond, 10*time.Second, 5*time.Second)
				slow := 0
				for _, v := range visits(p, 20*time.Millisecond, time.Minute, 5*time.Second) {
					var e *pool.AcquireError
					require.ErrorAs(t, v.err, &e)
					require.Equal(t, fairshare.BuildFailing, e.Reason)
					require.NotErrorIs(t, v.err, context.DeadlineExceeded)
					require.LessOrEqual(t, v.took, time.Second)
					if v.took > 0 {
						slow++
					}
				}
				if state == "refuses" {
					require.Zero(t, slow)
				}
			})
		})
	}
}

func TestAPoolThatWaitsInAnOutageFailsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(2)
		cfg.Backoff.Wait = true
		s, _, p := serve(t, cfg)
		s.turn("refuses")
		patient, late := begin(background, p, "a"), begin(background, p, "b")
		ctx, cancel := context.WithTimeout(background, time.Minute)
		defer cancel()
		e := begin(ctx, p, "c").failed(t)
		require.ErrorIs(t, e, context.DeadlineExceeded)
		require.ErrorContains(t, e, "connection refused")
		s.turn("")
		patient.granted(t).Release()
		late.granted(t).Release()
	})
}

// What an operator does about an outage ends the pause.
func TestResetResumeAndResizeEndTheBackoff(t *testing.T) {
	for name, do := range map[string]func(*pool.Pool[*thing]){
		"Reset":          (*pool.Pool[*thing]).Reset,
		"ResetGradually": (*pool.Pool[*thing]).ResetGradually,
		"Resume":         (*pool.Pool[*thing]).Resume,
		"Resize":         func(p *pool.Pool[*thing]) { _ = p.Resize(3) },
	} {
		for _, minIdle := range []int{0, 2} {
			t.Run(fmt.Sprint(name, minIdle), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := keeping(4, minIdle)
					cfg.Backoff = pool.Backoff{Min: time.Hour, Max: time.Hour}
					f := &factory{}
					s := &server{f: f, state: "refuses"}
					f.build = s.connect
					p := newPool(t, f, cfg)
					begin(background, p, "a").failed(t)
					s.turn("")
					waiting := begin(background, p, "a")
					require.False(t, waiting.over())
					do(p)
					time.Sleep(time.Second)
					require.True(t, waiting.over())
					waiting.granted(t).Release()
					time.Sleep(time.Second)
					require.GreaterOrEqual(t, p.Stats().Warm, minIdle)
					require.NoError(t, p.Stats().BuildErr)
				})
			})
		}
	}
}

// The server has room for fewer than the pool: callers are served by those that
// there are, and see nothing of it.
func TestTooManyConnectionsAreNoErrorOfCallersWhileSomeAreAlive(t *testing.T) {
	for _, limit := range []int{1, 10, 19} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, p := serve(t, sized(20))
				s.limit = limit
				acquire(t, p, "a").Release()
				var callers sync.WaitGroup
				for i := range 40 {
					callers.Go(func() {
						for range 100 {
							l, err := p.Acquire(background, fmt.Sprint(i%4))
							if err != nil {
								t.Error(err)
								return
							}
							time.Sleep(100 * time.Millisecond)
							l.Release()
						}
					})
				}
				callers.Wait()
				stats := p.Stats()
				require.Positive(t, stats.BuildFailures)
				require.ErrorContains(t, stats.BuildErr, "too many")
			})
		})
	}
}

// A Constructor that does not heed its context keeps its place and nothing else:
// it is told of, others are built beside it, and what it builds in the end is
// destroyed.
func TestAConstructorThatHangsIsToldOfAndStopsNobody(t *testing.T) {
	for _, most := range []int{0, 1, 2} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				f := &factory{build: func(_ context.Context, n int) error {
					if n == 1 {
						<-release
					}
					return nil
				}}
				log, logged := recordLog()
				cfg := sized(3)
				cfg.Logger = log
				cfg.BuildTimeout = 2 * time.Second
				cfg.Sizes.MaxConcurrentBuilds = most
				p := newPool(t, f, cfg)
				w := begin(background, p, "a")
				<-w.done
				require.LessOrEqual(t, w.waited, 2100*time.Millisecond)
				if w.err != nil {
					require.ErrorIs(t, w.err, pool.ErrBuildTimeout)
					require.NotErrorIs(t, w.err, context.DeadlineExceeded)
				}
				w.lease.Release()
				time.Sleep(time.Hour)
				stats := p.Stats()
				require.EqualValues(t, 1, stats.BuildHangs)
				require.EqualValues(t, 1, stats.BuildFailures)
				require.Equal(t, 1, stats.Building, "its place is taken")
				require.Contains(t, logged(), "constructor hangs")

				a, b := acquire(t, p, "a"), acquire(t, p, "b")
				ctx, cancel := context.WithTimeout(background, time.Second)
				defer cancel()
				begin(ctx, p, "c").failed(t)
				close(release)
				time.Sleep(time.Second)
				stats = p.Stats()
				require.EqualValues(t, 1, stats.Retired[pool.TooLate])
				require.Zero(t, stats.Building)
				c := acquire(t, p, "c")
				require.NotEqual(t, 1, c.Value().id)
				a.Release()
				b.Release()
				c.Release()
			})
		})
	}
}

// Bursts of short work are served by a few, and long work gets all there are.
func TestBuildsRampUp(t *testing.T) {
	herd := func(t *testing.T, callers int, hold time.Duration) (*factory, time.Duration) {
		f := &factory{build: takes(50 * time.Millisecond)}
		p := newPool(t, f, sized(100))
		start := time.Now()
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				l, err := p.Acquire(background, fmt.Sprint(i%10))
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(hold)
				l.Release()
			})
		}
		all.Wait()
		return f, time.Since(start)
	}
	synctest.Test(t, func(t *testing.T) {
		f, took := herd(t, 200, time.Millisecond)
		require.LessOrEqual(t, f.buildCount(), 12)
		require.LessOrEqual(t, took, 150*time.Millisecond)
	})
	synctest.Test(t, func(t *testing.T) {
		f, took := herd(t, 100, 10*time.Second)
		require.Equal(t, 100, f.buildCount())
		require.LessOrEqual(t, took, 10*time.Second+6*50*time.Millisecond, "each round builds twice as many")
	})
}

func TestNoHerdBuildsWhenAnOutageEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f, p := serve(t, sized(100))
		s.turn("refuses")
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				for {
					l, err := p.Acquire(background, fmt.Sprint(i%10))
					if err == nil {
						time.Sleep(10 * time.Millisecond)
						l.Release()
						return
					}
					time.Sleep(time.Second)
				}
			})
		}
		time.Sleep(time.Minute)
		f.mu.Lock()
		f.mostBuilding = 0
		f.mu.Unlock()
		s.turn("")
		all.Wait()
		require.LessOrEqual(t, f.mostBuilding, 50)
	})
}

func TestAConstructorThatReturnsNothingUsableHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuses(t, func(context.Context) (*thing, error) { return nil, nil })
		refuses(t, func(context.Context) (map[string]int, error) { return nil, nil })
		refuses(t, func(context.Context) (func(), error) { return nil, nil })
		refuses(t, func(context.Context) (chan int, error) { return nil, nil })
		refuses(t, func(context.Context) (any, error) { return (*thing)(nil), nil })
	})
}

func refuses[T any](t *testing.T, build func(context.Context) (T, error)) {
	p, err := pool.New(pool.Config[T]{Constructor: build, MaxSize: 1})
	require.NoError(t, err)
	_, err = p.Acquire(background, "a")
	require.ErrorContains(t, err, "Constructor returned nil")
	require.NoError(t, p.Shutdown(background))
}

// recordLog returns a logger, and what was written to it so far.
func recordLog() (*slog.Logger, func() string) {
	var mu sync.Mutex
	var written strings.Builder
	write := writer(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return written.Write(b)
	})
	return slog.New(slog.NewTextHandler(write, nil)), func() string {
		mu.Lock()
		defer mu.Unlock()
		return written.String()
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
