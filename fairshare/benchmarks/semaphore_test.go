package main

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// semaphoreRule is the real fairshare.Semaphore, each request a goroutine that
// waits in Acquire, inside a bubble whose clock follows the simulation.
type semaphoreRule struct {
	hall  hall
	names []string
	s     *fairshare.Semaphore
	start time.Time
	mu    chan struct{}
	back  []answer
}

type answer struct {
	r      *request
	permit fairshare.Permit
	err    error
}

type asking struct {
	cancel context.CancelFunc
	permit fairshare.Permit
}

func realSemaphore(t *testing.T, cfg fairshare.Config) func(setting, hall) rule {
	return func(in setting, h hall) rule {
		cfg.Capacity = in.capacity
		cfg.Tenants = make(map[string]fairshare.Share)
		r := &semaphoreRule{hall: h, mu: make(chan struct{}, 1)}
		for i, w := range in.weights {
			r.names = append(r.names, string(rune('A'+i)))
			cfg.Tenants[r.names[i]] = fairshare.Share{Weight: w}
		}
		var err error
		r.s, err = fairshare.NewSemaphore(cfg)
		require.NoError(t, err)
		r.start = time.Now()
		time.Sleep(time.Nanosecond) // as the adapter, which starts at 1
		return r
	}
}

// reach lets the bubble's clock catch up.
func (r *semaphoreRule) reach(now time.Duration) { time.Sleep(now + 1 - time.Since(r.start)) }

// settle waits until nothing moves, and carries out what has been granted.
func (r *semaphoreRule) settle() {
	synctest.Wait()
	slices.SortFunc(r.back, func(a, b answer) int { return int(a.r.seq) - int(b.r.seq) })
	for _, a := range r.back {
		if a.err == nil {
			a.r.ticket.(*asking).permit = a.permit
			r.hall.grant(a.r)
		}
	}
	r.back = nil
}

func (r *semaphoreRule) ask(now time.Duration, q *request) {
	r.reach(now)
	ctx, cancel := context.WithCancel(context.Background())
	q.ticket = &asking{cancel: cancel}
	go func() {
		p, err := r.s.Acquire(ctx, r.names[q.tenant])
		r.mu <- struct{}{}
		r.back = append(r.back, answer{q, p, err})
		<-r.mu
	}()
	r.settle()
}

func (r *semaphoreRule) giveBack(now time.Duration, q *request) {
	r.reach(now)
	q.ticket.(*asking).cancel()
	q.ticket.(*asking).permit.Release()
	r.settle()
}

func (r *semaphoreRule) giveUp(now time.Duration, q *request) {
	r.reach(now)
	q.ticket.(*asking).cancel()
	r.settle()
}

func (r *semaphoreRule) resize(now time.Duration, capacity int) {
	r.reach(now)
	if err := r.s.Resize(capacity); err != nil {
		panic(err)
	}
	r.settle()
}

func (r *semaphoreRule) weigh(now time.Duration, tenant int, weight float64) {
	r.reach(now)
	if err := r.s.SetShare(r.names[tenant], fairshare.Share{Weight: weight}); err != nil {
		panic(err)
	}
	r.settle()
}

func (r *semaphoreRule) close() {
	r.s.Close()
	synctest.Wait()
}

// What is measured of fairpool's scheduler, driven as plain data, is what the
// Semaphore does that users call, with its goroutines, lock and clock.
func TestSemaphoreDecidesAsTheSchedulerThatIsMeasured(t *testing.T) {
	const brief size = 0.02
	for name, cfg := range map[string]fairshare.Config{
		ours:                  {},
		"fairpool Instant":    {Horizon: fairshare.Instant},
		"fairpool strict":     {ShareFunc: fairshare.EqualShare},
		"fairpool headroom 1": {Headroom: 1},
	} {
		for _, id := range []string{"A", "B2", "D", "G", "H", "M", "O", "Q", "R", "S"} {
			t.Run(id+"/"+name, func(t *testing.T) {
				var l load
				for _, sc := range scenarios {
					if sc.id == id {
						l = sc.build(brief).seeded(1)
					}
				}
				want := logOf(l, byName(name))
				require.Greater(t, len(want), 100)
				synctest.Test(t, func(t *testing.T) {
					have := logOf(l, contender{start: realSemaphore(t, cfg)})
					require.Empty(t, want.differs(have, len(l.tenants)))
				})
			})
		}
	}
}
