package adversary

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// A crowd is the tenants of a bubble: goroutines that hold slots, and how long
// they held them since the measurement began.
type crowd struct {
	t     *testing.T
	rng   *rand.Rand
	begin time.Time
	end   time.Time

	mu   sync.Mutex
	held map[string]time.Duration
	jobs map[string]int // that came to their end
}

func newCrowd(t *testing.T, seed uint64, l length) *crowd {
	now := time.Now()
	return &crowd{t: t, rng: rand.New(rand.NewPCG(seed, 0)), begin: now.Add(l.time / 10), end: now.Add(l.time),
		held: make(map[string]time.Duration), jobs: make(map[string]int)}
}

func (c *crowd) over() bool { return !time.Now().Before(c.end) }

// draw calls fn with the source of all that is random.
func (c *crowd) draw(fn func(*rand.Rand) time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fn(c.rng)
}

func (c *crowd) exponential(mean time.Duration) time.Duration {
	return c.draw(func(r *rand.Rand) time.Duration { return 1 + time.Duration(r.ExpFloat64()*float64(mean)) })
}

// credit counts what the tenant held from a time until now, so far as it was
// measured.
func (c *crowd) credit(tenant string, from time.Time) {
	now := time.Now()
	if now.After(c.end) {
		now = c.end
	}
	if from.Before(c.begin) {
		from = c.begin
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[tenant] += max(0, now.Sub(from))
}

// finished counts a job.
func (c *crowd) finished(tenant string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().After(c.begin) {
		c.jobs[tenant]++
	}
}

// choose is a holding time of a strategy.
func (c *crowd) choose(s settings) time.Duration {
	return c.draw(func(r *rand.Rand) time.Duration {
		if r.Float64() < s[mix] {
			return s.time(long)
		}
		return s.time(short)
	})
}

// untilHere waits for the next stay of a strategy that comes and goes.
func (s settings) untilHere(start time.Time) {
	if s.time(away) == 0 {
		return
	}
	round := s.time(on) + s.time(away)
	if into := time.Since(start) % round; into >= s.time(on) {
		time.Sleep(round - into)
	}
}

// playSemaphore plays against a fairshare.Semaphore. Rivals always want
// another slot.
func playSemaphore(t *testing.T, f *family, who candidate, seed uint64, l length) (out outcome) {
	at := f.places[who.place]
	l.time = min(l.time/4, 600*time.Second)
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, seed, l)
		cfg := at.semaphore
		cfg.Capacity = at.slots
		s, err := fairshare.NewSemaphore(cfg)
		require.NoError(t, err)
		var wg sync.WaitGroup
		hold := func(p fairshare.Permit, tenant string, d time.Duration) {
			from := time.Now()
			time.Sleep(d)
			c.credit(tenant, from)
			p.Release()
		}
		for i := range at.rivals {
			name := "rival" + string(rune('A'+i))
			for range at.slots + 1 {
				wg.Go(func() {
					for !c.over() {
						p, err := s.Acquire(t.Context(), name)
						if err != nil { // the queue is full
							time.Sleep(c.exponential(10 * time.Millisecond))
							continue
						}
						hold(p, name, c.exponential(100*time.Millisecond))
					}
				})
			}
		}
		for i, m := range who.members {
			name, set, start := "member"+string(rune('A'+i)), m.set(f.turned), time.Now()
			if every := set.time(spin); every > 0 {
				wg.Go(func() {
					for !c.over() {
						set.untilHere(start)
						if p, ok := s.TryAcquire(name); ok {
							wg.Go(func() { hold(p, name, c.choose(set)) })
						} else {
							time.Sleep(every)
						}
					}
				})
			}
			for range set.count(waiters) {
				wg.Go(func() {
					for !c.over() {
						set.untilHere(start)
						ctx, cancel := context.WithCancel(t.Context())
						if patience := set.time(again); patience > 0 {
							ctx, cancel = context.WithTimeout(t.Context(), patience)
						}
						p, err := s.Acquire(ctx, name)
						cancel()
						if err != nil {
							time.Sleep(max(set.time(pace), 20*time.Millisecond))
							continue
						}
						hold(p, name, c.choose(set))
						if pause := set.time(pace); pause > 0 {
							time.Sleep(pause)
						}
					}
				})
			}
		}
		wg.Wait()
		out = c.outcome(at, len(who.members))
	})
	return out
}

// outcome is what the members had of their equal shares, and the least that a
// rival had of its own.
func (c *crowd) outcome(at place, members int) outcome {
	share := float64(at.slots) * c.end.Sub(c.begin).Seconds() / float64(at.rivals+members)
	out := outcome{loss: 1}
	for i := range members {
		out.gain += c.held["member"+string(rune('A'+i))].Seconds() / share / float64(members)
	}
	for i := range at.rivals {
		out.loss = min(out.loss, c.held["rival"+string(rune('A'+i))].Seconds()/share)
	}
	return out
}
