package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/fairpool/fairpool/adapters/debugfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A tab stands for a browser's.
type tab struct{}

// A service is what is watched: a pool and a semaphore, and how long one waits
// for them.
type service struct {
	tabs     *pool.Pool[*tab]
	tabWaits *debugfair.Waits
	api      *fairshare.Semaphore
	apiWaits *debugfair.Waits
}

func newService() (*service, error) {
	s := &service{tabWaits: new(debugfair.Waits), apiWaits: new(debugfair.Waits)}
	var err error
	s.tabs, err = pool.New(pool.Config[*tab]{
		Constructor: func(ctx context.Context) (*tab, error) {
			return new(tab), pause(ctx, 400*time.Millisecond)
		},
		Destructor: func(*tab) { time.Sleep(80 * time.Millisecond) },
		MaxSize:    24,
		Sharing:    fairshare.Config{Tenants: map[string]fairshare.Share{"acme": {Weight: 2}}},
		Sizes:      pool.Sizes{MinIdle: 2},
		Age:        pool.Age{MaxUses: 40, MaxIdleTime: 20 * time.Second},
		Guard:      pool.Guard{LeakAfter: 8 * time.Second},
		Trace:      s.tabWaits.Trace(pool.Trace{}),
	})
	if err != nil {
		return nil, err
	}
	s.api, err = fairshare.NewSemaphore(fairshare.Config{
		Capacity: 60,
		Default:  fairshare.Share{MaxWaiting: 50},
	})
	if err != nil {
		s.tabs.Close()
		return nil, err
	}
	return s, nil
}

// quota is a figure beside those of the semaphore.
func (s *service) quota() iter.Seq2[string, string] {
	return debugfair.Pairs("the provider allows", fmt.Sprintf("%d calls at once", s.api.Stats().Capacity))
}

// A habit is how a tenant behaves. Its requests come one by one at random, or,
// with every, many at once from time to time.
type habit struct {
	tenant string
	rate   float64 // requests in a second
	many   int
	every  time.Duration
	after  time.Duration // the first
	hold   time.Duration // on average
}

var tabHabits = []habit{
	{tenant: "acme", rate: 8, hold: 350 * time.Millisecond},
	{tenant: "borealis", rate: 5, hold: 500 * time.Millisecond},
	{tenant: "cobalt", rate: 3, hold: 700 * time.Millisecond},
	{tenant: "nightly-export", many: 150, every: 50 * time.Second, after: 6 * time.Second, hold: 2500 * time.Millisecond},
	{tenant: "dune", many: 12, every: 20 * time.Second, after: 3 * time.Second, hold: 1200 * time.Millisecond},
	{tenant: "stuck-crawler", many: 2, every: 45 * time.Second, after: 12 * time.Second, hold: 18 * time.Second},
}

// habits of the API are those of a few, and of many who seldom call.
func apiHabits() []habit {
	all := []habit{
		{tenant: "acme", rate: 40, hold: 220 * time.Millisecond},
		{tenant: "borealis", rate: 25, hold: 300 * time.Millisecond},
		{tenant: "geocode-job", many: 220, every: 35 * time.Second, after: 10 * time.Second, hold: 2 * time.Second},
		{tenant: "tiles", rate: 60, hold: 150 * time.Millisecond},
	}
	for i := range 120 {
		all = append(all, habit{tenant: fmt.Sprintf("free-%03d", i), rate: 0.15, hold: 600 * time.Millisecond})
	}
	return all
}

func (s *service) close() {
	s.tabs.Close()
	s.api.Close()
}

// work puts load on both until ctx ends and what has begun is over.
func (s *service) work(ctx context.Context, seed uint64) {
	var all sync.WaitGroup
	start := func(h habit, serve func(context.Context, *rand.Rand, habit)) {
		seed++
		rng := rand.New(rand.NewPCG(seed, seed))
		all.Go(func() { h.live(ctx, rng, &all, serve) })
	}
	for _, h := range tabHabits {
		start(h, s.useTab)
	}
	for _, h := range apiHabits() {
		start(h, s.callAPI)
	}
	all.Wait()
}

// live sends the requests of a tenant.
func (h habit) live(ctx context.Context, rng *rand.Rand, all *sync.WaitGroup, serve func(context.Context, *rand.Rand, habit)) {
	send := func() {
		own := rand.New(rand.NewPCG(rng.Uint64(), 0))
		all.Go(func() { serve(ctx, own, h) })
	}
	if h.rate > 0 {
		for pause(ctx, time.Duration(rng.ExpFloat64()/h.rate*float64(time.Second))) == nil {
			send()
		}
		return
	}
	for next := h.after; pause(ctx, next) == nil; next = h.every {
		for range h.many {
			send()
		}
	}
}

// useTab holds a tab for a while, and now and then crashes it.
func (s *service) useTab(ctx context.Context, rng *rand.Rand, h habit) {
	patience, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	// It may be in vain; the page shows how often.
	_ = s.tabs.Do(patience, h.tenant, func(context.Context, *tab) error {
		if err := pause(ctx, h.takes(rng)); err != nil {
			return err
		}
		if rng.IntN(60) == 0 {
			return fmt.Errorf("%w: the tab has crashed", pool.ErrBadResource)
		}
		return nil
	})
}

func (s *service) callAPI(ctx context.Context, rng *rand.Rand, h habit) {
	begin := time.Now()
	permit, err := s.api.Acquire(ctx, h.tenant)
	if err != nil {
		return // too many wait already, or it is over
	}
	defer permit.Release()
	s.apiWaits.Observe(time.Since(begin))
	_ = pause(ctx, h.takes(rng))
}

// takes is how long one request does.
func (h habit) takes(rng *rand.Rand) time.Duration {
	return time.Duration(float64(h.hold) * (0.5 + rng.ExpFloat64()/2))
}

// pause returns early, with an error, if ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return errors.New("stopped")
	case <-time.After(d):
		return nil
	}
}
