package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A worker of a tenant runs a job, again from its start if it is cut off, and
// then the next.
type worker struct {
	tenant string
	job    time.Duration
	think  time.Duration
	from   time.Duration // until when it is away
	to     time.Duration // 0: it stays
}

// A progress is what came of the workers.
type progress struct {
	finished map[string]int
	cut      map[string]int
	held     map[string]time.Duration
	longest  map[string]time.Duration // from the start of a job to its end, what was cut off included
	revoked  int
}

const (
	readmeAfter = 5 * time.Second
	readmeGrace = time.Second
)

func runWorkers(t *testing.T, cfg pool.Config[*thing], workers []worker, length time.Duration) *progress {
	r := &progress{finished: map[string]int{}, cut: map[string]int{}, held: map[string]time.Duration{}, longest: map[string]time.Duration{}}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		if cfg.Reclaim.After == 0 {
			cfg.Reclaim = pool.Reclaim{After: readmeAfter, Grace: readmeGrace}
		}
		p := newPool(t, &factory{}, cfg)
		start := time.Now()
		stop, cancel := context.WithTimeout(background, length)
		defer cancel()
		var all sync.WaitGroup
		for _, w := range workers {
			time.Sleep(time.Nanosecond) // one after the other
			all.Go(func() {
				if w.from > 0 {
					time.Sleep(w.from)
				}
				began := time.Now()
				note := func() { r.longest[w.tenant] = max(r.longest[w.tenant], time.Since(began)) }
				for stop.Err() == nil && (w.to == 0 || time.Since(start) < w.to) {
					_ = p.Do(stop, w.tenant, func(ctx context.Context, _ *thing) error {
						b := time.Now()
						timer := time.NewTimer(w.job)
						defer timer.Stop()
						done := false
						select {
						case <-timer.C:
							done = true
						case <-ctx.Done():
						}
						mu.Lock()
						defer mu.Unlock()
						r.held[w.tenant] += time.Since(b)
						if done {
							r.finished[w.tenant]++
							note()
							began = time.Now()
						} else if errors.Is(context.Cause(ctx), pool.ErrRevoked) {
							r.cut[w.tenant]++
						}
						return nil
					})
					if w.think > 0 {
						time.Sleep(w.think)
					}
				}
				mu.Lock()
				note()
				mu.Unlock()
			})
		}
		all.Wait()
		r.revoked = int(p.Stats().Revocations)
	})
	return r
}

func each(n, perTenant int, job time.Duration) (all []worker) {
	for i := range n {
		for range perTenant {
			all = append(all, worker{tenant: fmt.Sprint("t", i), job: job})
		}
	}
	return all
}

// share is how many slots are due to the tenant if everybody wants some.
func due(capacity int, shares map[string]fairshare.Share, workers []worker) map[string]float64 {
	weights, all := map[string]float64{}, 0.0
	for _, w := range workers {
		if weights[w.tenant] == 0 {
			weights[w.tenant] = max(shares[w.tenant].Weight, 0)
			if weights[w.tenant] == 0 {
				weights[w.tenant] = 1
			}
			all += weights[w.tenant]
		}
	}
	for name := range weights {
		weights[name] *= float64(capacity) / all
	}
	return weights
}

// Invariant 13: whoever is cut off again and again is left alone in the end. A
// job of a tenant, what was cut off before included, takes at most the time in
// which the tenant's share of the slots gives it two jobs for each of its workers
// and four more, and six of the longest jobs of anybody for each tenant that there
// is to a slot: so much may others be ahead, with the credit for their absence.
func TestEverybodyFinishesWhatItBegan(t *testing.T) {
	const length = 6 * time.Hour
	worst := 0.0
	seeds := uint64(40)
	if testing.Short() {
		seeds = 12
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 13))
		capacity := 1 + r.IntN(8)
		n := 2 + r.IntN(2*capacity+1)
		cfg := sized(capacity)
		cfg.Sharing.Tenants = map[string]fairshare.Share{}
		mins := capacity / 2
		var workers []worker
		longest, jobs, crew := time.Duration(0), map[string]time.Duration{}, map[string]int{}
		for i := range n {
			name := fmt.Sprint("t", i)
			share := fairshare.Share{Weight: []float64{0.5, 1, 1, 1, 1, 3}[r.IntN(6)]}
			if mins > 0 && r.IntN(6) == 0 {
				share.Min = 1
				mins--
			}
			cfg.Sharing.Tenants[name] = share
			for range 1 + r.IntN(3) {
				w := worker{tenant: name, job: time.Duration(1+r.IntN(60_000)) * time.Millisecond}
				if r.IntN(2) == 0 {
					w.think = time.Duration(r.IntN(20_000)) * time.Millisecond
				}
				if r.IntN(4) == 0 { // comes later and leaves
					w.from = time.Duration(r.IntN(3600)) * time.Second
					w.to = w.from + time.Hour
				}
				workers = append(workers, w)
				jobs[name] = max(jobs[name], w.job+w.think)
				crew[name]++
				longest = max(longest, w.job)
			}
		}
		p := runWorkers(t, cfg, workers, length)
		slots := due(capacity, cfg.Sharing.Tenants, workers)
		for name, took := range p.longest {
			own := float64(2*crew[name]+4) * float64(max(jobs[name], readmeAfter)) / min(1, slots[name])
			others := 6 * float64(longest+readmeAfter+readmeGrace) * max(1, float64(n)/float64(capacity))
			bound := time.Duration(own + others)
			worst = max(worst, float64(took)/float64(bound))
			if took > bound {
				t.Errorf("seed %d: %s of %d tenants on %d slots took %v for a job of %v or less, more than %v", seed, name, n, capacity, took, jobs[name], bound)
			}
		}
	}
	t.Logf("at worst %.2f of the bound", worst)
}

// A reclaimCase is a load under the Reclaim of the README.
type reclaimCase struct {
	name     string
	capacity int
	shares   map[string]fairshare.Share
	workers  []worker
	apart    float64 // how far apart those alike may be in jobs finished, as a part of it: work in step may hit some more
	revoked  float64 // revocations in an hour, at most
}

func reclaimCases() []reclaimCase {
	report := []worker{{tenant: "report", job: time.Minute}}
	for i := range 6 {
		for range 3 {
			report = append(report, worker{tenant: fmt.Sprint("t", i), job: 4 * time.Second})
		}
	}
	return []reclaimCase{
		{"2 slots, 3 tenants, jobs of 20 s", 2, nil, each(3, 1, 20*time.Second), 0.03, 250},
		{"1 slot, 2 tenants, jobs of 20 s", 1, nil, each(2, 1, 20*time.Second), 0.03, 150},
		{"2 slots, 20 tenants, jobs of 20 s", 2, nil, each(20, 1, 20*time.Second), 0.06, 300},
		{"8 slots, 10 tenants, two jobs of 4 s each", 8, nil, each(10, 2, 4*time.Second), 0.03, 0},
		{"8 slots, 10 tenants, two jobs of 8 s each", 8, nil, each(10, 2, 8*time.Second), 0.03, 50},
		{"8 slots, 10 tenants, two jobs of 20 s each", 8, nil, each(10, 2, 20*time.Second), 0.3, 600},
		{"4 slots, six tenants with jobs of 4 s, one with a report of 60 s", 4, nil, report, 0.03, 50},
		{"4 slots, weights 3, 0.5 and four of 1, jobs of 20 s", 4,
			map[string]fairshare.Share{"heavy": {Weight: 3}, "light": {Weight: 0.5}},
			append(each(4, 2, 20*time.Second), worker{tenant: "heavy", job: 20 * time.Second}, worker{tenant: "heavy", job: 20 * time.Second},
				worker{tenant: "light", job: 20 * time.Second}, worker{tenant: "light", job: 20 * time.Second}), 0.06, 250},
	}
}

// Names decide nothing: with others in any order everybody has the same slot-time
// and finishes as much, up to what the start of the simulation leaves over.
func TestReclaimLeavesSlotTimeFairWhateverTheNames(t *testing.T) {
	const length = 6 * time.Hour
	for _, c := range reclaimCases() {
		t.Run(c.name, func(t *testing.T) {
			for turn := range 3 {
				workers := make([]worker, len(c.workers))
				for i, w := range c.workers {
					if w.tenant[0] == 't' { // renamed, against the order in which they start or across it
						var k int
						_, _ = fmt.Sscanf(w.tenant, "t%d", &k)
						w.tenant = fmt.Sprintf("t%02d", []int{k, 50 - k, k * 7 % 23}[turn])
					}
					workers[i] = w
				}
				cfg := sized(c.capacity)
				cfg.Sharing.Tenants = c.shares
				p := runWorkers(t, cfg, workers, length)
				t.Logf("finished %v, cut off %v, longest %v, %.0f revocations an hour", p.finished, p.cut, p.longest, float64(p.revoked)/length.Hours())
				slots := due(c.capacity, c.shares, workers)
				least, most := 1<<30, 0
				for name, n := range p.finished {
					if name[0] == 't' {
						least, most = min(least, n), max(most, n)
					}
					if slots[name] <= 1 {
						got := p.held[name].Seconds() / length.Seconds() / slots[name]
						if got < 0.98 || got > 1.1 { // what one with a share of more than it can use leaves over
							t.Errorf("%s has %.3f of its slot-time", name, got)
						}
					}
				}
				if float64(most-least) > c.apart*float64(most)+1 {
					t.Errorf("finished %d to %d", least, most)
				}
				if got := float64(p.revoked) / length.Hours(); got > c.revoked {
					t.Errorf("%.0f revocations an hour", got)
				}
			}
		})
	}
}
