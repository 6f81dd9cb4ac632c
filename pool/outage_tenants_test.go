package pool_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// Where resources are dedicated, a tenant that has none learns of an outage although
// others have some, and those are served as ever.
func TestAnOutageOfADedicatedPoolEndsTheWaitsOfThoseWithoutAResource(t *testing.T) {
	for _, size := range []int{2, 5} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, p := serve(t, dedicated(size))
				acquire(t, p, "has one").Release()
				s.turn("refuses")
				var waiting []*pending
				for i := range 6 {
					waiting = append(waiting, begin(background, p, fmt.Sprint(i%3)))
				}
				for _, w := range waiting {
					require.Equal(t, fairshare.BuildFailing, w.failed(t).Reason)
				}
				for range 100 {
					time.Sleep(100 * time.Millisecond)
					w := begin(background, p, "0")
					w.failed(t)
					require.LessOrEqual(t, w.waited, time.Second)
					acquire(t, p, "has one").Release()
				}
				require.Zero(t, begin(background, p, "0").failed(t).Waited)
				s.turn("")
				time.Sleep(time.Second)
				acquire(t, p, "0").Release()
			})
		})
	}
}

// A slow build displaces one resource of others, not one more each second.
func TestASlowBuildOfADedicatedPoolDisplacesNoMoreThanOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, dedicated(4))
		var held []pool.Lease[*thing]
		for range 4 {
			held = append(held, acquire(t, p, "a"))
		}
		for _, l := range held {
			l.Release()
		}
		f.build = takes(5 * time.Second)
		begin(background, p, "b").granted(t).Release()
		require.EqualValues(t, 1, p.Stats().Retired[pool.Displaced])
	})
}

// In outages of all kinds and lengths nobody stays without an answer, dials keep
// their limits, and everybody is served soon after.
func TestNobodyStaysWithoutAnAnswer(t *testing.T) {
	for _, state := range []string{"refuses", "hangs"} {
		for _, size := range []int{1, 7, 50} {
			for _, most := range []int{0, 1, 3} {
				for _, outage := range []time.Duration{300 * time.Millisecond, 7 * time.Second, 25 * time.Second} {
					t.Run(fmt.Sprint(state, size, most, outage), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { answerEverybody(t, state, size, most, outage) })
					})
				}
			}
		}
	}
}

func answerEverybody(t *testing.T, state string, size, most int, outage time.Duration) {
	cfg := sized(size)
	cfg.Sizes.MaxConcurrentBuilds = most
	s, f, p := serve(t, cfg)
	// All that were alive die with the server, while they are leased.
	var alive []pool.Lease[*thing]
	for range size {
		alive = append(alive, acquire(t, p, "a"))
	}
	s.turn(state)
	for _, l := range alive {
		l.Destroy()
	}
	back := time.Now().Add(outage)
	time.AfterFunc(outage, func() { s.turn("") })

	const longest = 12 * time.Second // a dial may hang for 10 s before the first error
	var mu sync.Mutex
	served := make(map[string]time.Time)
	var all sync.WaitGroup
	callers := min(3*size, 15)
	for i := range callers {
		tenant := fmt.Sprint(i % 5)
		all.Go(func() {
			for time.Now().Before(back.Add(15 * time.Second)) {
				start := time.Now()
				l, err := p.Acquire(background, tenant)
				if waited := time.Since(start); waited > longest {
					t.Errorf("%v after %v", err, waited)
				}
				if err != nil {
					time.Sleep(150 * time.Millisecond)
					continue
				}
				mu.Lock()
				if served[tenant].IsZero() {
					served[tenant] = time.Now()
				}
				mu.Unlock()
				time.Sleep(time.Millisecond)
				l.Release()
			}
		})
	}
	all.Wait()
	within := 1200 * time.Millisecond // a pause, and the visit after it
	if state == "hangs" {
		within += time.Second // for another beside the one that hangs
		if size < 12 || most > 0 {
			within = 12 * time.Second // there may be no place for another until BuildTimeout
		}
	}
	for tenant, at := range served {
		require.LessOrEqual(t, at.Sub(back), within, tenant)
	}
	require.Len(t, served, min(5, callers))
	if most > 0 {
		require.LessOrEqual(t, f.mostBuilding, most)
	}
}

// A server that takes connections and answers nothing: every one that it has taken
// fails its Prepare, and callers get an error that says so, not their deadline.
func TestAServerThatAnswersNothingIsAnErrorAndNotADeadline(t *testing.T) {
	for _, size := range []int{1, 8} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent := true
				cfg := prepared(size, func(ctx context.Context, _ *thing, _ pool.Handover) error {
					if silent {
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				})
				cfg.Tenancy.PrepareTimeout = time.Second
				p := newPool(t, &factory{}, cfg)
				for i := range 20 {
					e := begin(background, p, fmt.Sprint(i%3)).failed(t)
					require.Equal(t, fairshare.NotPrepared, e.Reason)
					require.ErrorIs(t, e, pool.ErrHookTimeout)
					require.LessOrEqual(t, e.Waited, 4*time.Second)
					time.Sleep(100 * time.Millisecond)
				}
				silent = false
				time.Sleep(time.Second)
				acquire(t, p, "0").Release()
			})
		})
	}
}

// A lease that is out when everything is replaced is no reason to wait: its resource
// serves nobody when it returns.
func TestALeaseOfAResourceThatIsToBeReplacedKeepsNobodyWaitingInAnOutage(t *testing.T) {
	for _, cfg := range []pool.Config[*thing]{sized(3), dedicated(3)} {
		synctest.Test(t, func(t *testing.T) {
			s, _, p := serve(t, cfg)
			held := acquire(t, p, "a")
			s.turn("refuses")
			p.Reset()
			require.Equal(t, fairshare.BuildFailing, begin(background, p, "a").failed(t).Reason)
			held.Release()
		})
	}
}
