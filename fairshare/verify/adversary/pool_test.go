package adversary

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

type resource struct{ broken bool }

// playReclaim plays against a pool that takes back what is held too long. Each
// rival has jobs of one length, which it begins anew when it was cut off.
func playReclaim(t *testing.T, f *family, who candidate, seed uint64, l length) (out outcome) {
	at := f.places[who.place]
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, seed, length{time: min(24*l.time, 12*time.Hour)})
		p, err := pool.New(pool.Config[*resource]{
			Constructor: func(context.Context) (*resource, error) { return &resource{}, nil },
			MaxSize:     at.slots,
			Reclaim:     at.reclaim,
		})
		require.NoError(t, err)
		defer func() { require.NoError(t, p.Shutdown(context.Background())) }()
		var wg sync.WaitGroup
		// use holds a lease for d, or until it is revoked and a while beyond.
		use := func(tenant string, d, beyond time.Duration) {
			l, err := p.Acquire(t.Context(), tenant)
			if err != nil {
				return
			}
			from := time.Now()
			ctx, cancel := l.Context(t.Context())
			defer cancel()
			done := time.NewTimer(d)
			defer done.Stop()
			select {
			case <-done.C:
				c.finished(tenant)
			case <-ctx.Done():
				time.Sleep(min(beyond, at.reclaim.Grace))
			}
			c.credit(tenant, from)
			l.Release()
		}
		for i := range at.rivals {
			name := "rival" + string(rune('A'+i))
			for range at.slots + 1 {
				wg.Go(func() {
					for !c.over() {
						use(name, at.job, 0)
					}
				})
			}
		}
		for i, m := range who.members {
			name, set, start := "member"+string(rune('A'+i)), m.set(f.turned), time.Now()
			for range set.count(waiters) {
				wg.Go(func() {
					for !c.over() {
						set.untilHere(start)
						d := c.draw(func(r *rand.Rand) time.Duration {
							if r.Float64() < set[mix] {
								return max(20*set.time(long), 200*time.Millisecond)
							}
							return max(20*set.time(short), 200*time.Millisecond)
						})
						use(name, d, set.time(ignore))
						if pause := set.time(pace); pause > 0 {
							time.Sleep(pause)
						}
					}
				})
			}
		}
		wg.Wait()
		out = c.outcome(at, len(who.members))
		share := float64(at.slots) * c.end.Sub(c.begin).Seconds() / float64(at.rivals+len(who.members))
		least := math.MaxInt
		for i := range at.rivals {
			least = min(least, c.jobs["rival"+string(rune('A'+i))])
		}
		out.wait = share / at.job.Seconds() / float64(least)
	})
	return out
}

// playSabotage plays with tenants that break what they use. It compares what a
// tenant gets that lies about it, or calls sound resources broken, with what
// one gets that breaks as many and says so.
func playSabotage(t *testing.T, f *family, who candidate, seed uint64, l length) outcome {
	lying, lyingRival := sabotage(t, f, who, seed, l)
	truthful := who
	truthful.members = append([]strategy(nil), who.members...)
	for i := range truthful.members {
		truthful.members[i][admit], truthful.members[i][accuse] = 1, 0
	}
	honest, honestRival := sabotage(t, f, truthful, seed, l)
	return outcome{gain: lying / honest, wait: honestRival / lyingRival}
}

// sabotage returns the useful slot-time of the members, and the least of a rival.
func sabotage(t *testing.T, f *family, who candidate, seed uint64, l length) (members, rival float64) {
	at := f.places[who.place]
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, seed, length{time: min(l.time/4, 1000*time.Second)})
		p, err := pool.New(pool.Config[*resource]{
			Constructor: func(context.Context) (*resource, error) {
				time.Sleep(at.build)
				return &resource{}, nil
			},
			MaxSize: at.slots,
		})
		require.NoError(t, err)
		defer func() { require.NoError(t, p.Shutdown(context.Background())) }()
		var wg sync.WaitGroup
		chance := func(p float64) bool {
			return c.draw(func(r *rand.Rand) time.Duration {
				if r.Float64() < p {
					return 1
				}
				return 0
			}) == 1
		}
		run := func(name string, workers int, hold time.Duration, s settings) {
			for range workers {
				wg.Go(func() {
					for !c.over() {
						l, err := p.Acquire(t.Context(), name)
						if err != nil {
							return
						}
						r := l.Value()
						if r.broken || chance(s[accuse]) {
							l.Destroy()
							continue
						}
						from := time.Now()
						time.Sleep(hold)
						c.credit(name, from)
						if chance(s[spoil]) {
							if chance(s[admit]) {
								l.Destroy()
								continue
							}
							r.broken = true
						}
						l.Release()
					}
				})
			}
		}
		for i := range at.rivals {
			run("rival"+string(rune('A'+i)), at.slots+2, 100*time.Millisecond, settings{})
		}
		for i, m := range who.members {
			set := m.set(f.turned)
			run("member"+string(rune('A'+i)), set.count(waiters), max(set.time(long), 20*time.Millisecond), set)
		}
		wg.Wait()
		rival = math.Inf(1)
		for i := range at.rivals {
			rival = min(rival, c.held["rival"+string(rune('A'+i))].Seconds())
		}
		for i := range who.members {
			members += c.held["member"+string(rune('A'+i))].Seconds()
		}
	})
	return members, rival
}
