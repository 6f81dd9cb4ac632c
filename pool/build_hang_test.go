package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// hangs is a constructor that fails for the first fail builds, and then does not
// return from so many, whatever its context says, before an hour has passed.
func hangs(fail, hang int, err error) func(context.Context, int) error {
	return func(_ context.Context, n int) error {
		switch {
		case n <= fail:
			return errNoRoute
		case n <= fail+hang:
			time.Sleep(time.Hour)
			return err
		}
		return nil
	}
}

// Invariant 4: neither a first build nor the attempt after a failure stops the
// pool for as long as it hangs.
func TestAConstructorThatHangsStopsNobodyBeyondItsTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		fail, hang, concurrent int
		end                    error
	}{
		"the first":                             {0, 1, 0, nil},
		"the attempt after a failure":           {1, 1, 0, nil},
		"two attempts after a failure":          {1, 2, 0, errNoRoute},
		"the only one that may run":             {0, 1, 1, errNoRoute},
		"an attempt, the only one that may run": {2, 2, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{build: hangs(c.fail, c.hang, c.end)}
				cfg := sized(4)
				cfg.BuildTimeout = 10 * time.Second
				cfg.Sizes.MaxConcurrentBuilds = c.concurrent
				p := newPool(t, f, cfg)
				held := 0
				if c.fail == 0 { // something is alive
					f.build = nil
					defer acquire(t, p, "holder").Release()
					f.build, held = hangs(1+c.fail, c.hang, c.end), 1
				}
				for range c.fail {
					require.ErrorIs(t, begin(background, p, "a").failed(t), errNoRoute)
				}
				start := time.Now()
				for time.Since(start) < 50*time.Second {
					ctx, cancel := context.WithTimeout(background, 50*time.Second)
					w := begin(ctx, p, "a")
					<-w.done
					cancel()
					if w.err == nil {
						w.lease.Release()
						break
					}
					require.NotErrorIs(t, w.err, context.DeadlineExceeded)
					if !errors.Is(w.err, errNoRoute) {
						require.ErrorIs(t, w.err, pool.ErrBuildTimeout, "nothing is alive")
						require.ErrorContains(t, w.err, "10s")
					}
					time.Sleep(10 * time.Millisecond)
				}
				require.Less(t, time.Since(start), 50*time.Second)
				time.Sleep(30 * time.Second) // others were built before the last is known to hang
				s := p.Stats()
				require.EqualValues(t, c.hang, s.BuildHangs)
				require.EqualValues(t, c.fail+c.hang, s.BuildFailures)
				require.Equal(t, c.hang, s.Building, "their places stay taken")
				require.NoError(t, s.BuildErr)
				time.Sleep(2 * time.Hour) // what comes late is of no use
				s = p.Stats()
				require.Zero(t, s.Building)
				late := map[bool]int{true: c.hang, false: 0}[c.end == nil]
				require.EqualValues(t, late, s.Retired[pool.TooLate])
				require.Equal(t, 1, s.Warm)
				require.Equal(t, held, s.Leased)
			})
		})
	}
}

// The place of one that hangs is no place for another: invariant 1.
func TestConstructorsThatAllHangTakeTheirPlacesAndTellEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: hangs(0, 2, nil)}
		cfg := sized(2)
		cfg.BuildTimeout = time.Second
		p := newPool(t, f, cfg)
		all := []*pending{begin(background, p, "a"), begin(background, p, "b"), begin(background, p, "c")}
		failed := 0
		time.Sleep(2 * time.Second)
		for _, w := range all {
			if w.over() {
				require.ErrorIs(t, w.failed(t), pool.ErrBuildTimeout)
				failed++
			}
		}
		require.Equal(t, 3, failed)
		time.Sleep(2 * time.Hour)
		acquire(t, p, "d").Release()
	})
}
