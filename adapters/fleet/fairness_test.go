package fleet_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// A load is a fleet in virtual time: each process has a semaphore and a member,
// and tenants that ask for slots without end.
type load struct {
	t       *testing.T
	ctx     context.Context
	members []*fleet.Member
	group   sync.WaitGroup

	mu   sync.Mutex
	held map[string]int
	all  int
	last time.Time
	sums map[string]float64 // slot-seconds
	sum  float64
}

func newLoad(t *testing.T) (*load, func()) {
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{t: t, ctx: ctx, held: make(map[string]int), sums: make(map[string]float64), last: time.Now()}
	return l, func() {
		cancel()
		l.group.Wait()
		for _, m := range l.members {
			require.NoError(t, m.Leave(context.Background()))
		}
	}
}

func (l *load) join(engine fleet.Engine, terms fleet.Terms) *fairshare.Semaphore {
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	require.NoError(l.t, err)
	m, err := fleet.Join(l.ctx, fleet.Semaphore(s), fleet.Config{Engine: engine, Terms: terms, AssumeFresh: true})
	require.NoError(l.t, err)
	l.members = append(l.members, m)
	return s
}

// ask has n callers of a tenant acquire, hold and release without end.
func (l *load) ask(s *fairshare.Semaphore, tenant string, n int, hold func() time.Duration) {
	for range n {
		l.group.Add(1)
		go func() {
			defer l.group.Done()
			for {
				p, err := s.Acquire(l.ctx, tenant)
				if err != nil {
					return
				}
				l.change(tenant, 1)
				select {
				case <-time.After(hold()):
				case <-l.ctx.Done():
				}
				l.change(tenant, -1)
				p.Release()
			}
		}()
	}
}

func (l *load) change(tenant string, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	passed := now.Sub(l.last).Seconds()
	l.last = now
	if passed > 0 {
		for tenant, n := range l.held {
			l.sums[tenant] += float64(n) * passed
		}
		l.sum += float64(l.all) * passed
	}
	l.held[tenant] += by
	l.all += by
}

// measure returns the mean slots of each tenant, and of all, over a time.
func (l *load) measure(d time.Duration) (map[string]float64, float64) {
	l.mu.Lock()
	clear(l.sums)
	l.sum, l.last = 0, time.Now()
	l.mu.Unlock()
	time.Sleep(d)
	l.change("", 0)
	l.mu.Lock()
	defer l.mu.Unlock()
	means := make(map[string]float64)
	for tenant, sum := range l.sums {
		means[tenant] = sum / d.Seconds()
	}
	return means, l.sum / d.Seconds()
}

// TestTenantsAreEqualWhereverTheirRequestsLand: A asks on 8 processes, B on one
// of them.
func TestTenantsAreEqualWhereverTheirRequestsLand(t *testing.T) {
	for _, test := range []struct {
		capacity int
		hold     time.Duration
		settle   time.Duration
		during   time.Duration
		used     float64
		within   float64
	}{
		{40, 200 * time.Millisecond, 3600 * time.Millisecond, 30 * time.Second, 0.97, 1},
		{40, time.Second, 3600 * time.Millisecond, time.Minute, 0.97, 1},
		{40, 5 * time.Second, 60 * time.Second, time.Minute, 0.97, 1},
		{6, 5 * time.Second, 20 * time.Second, 10 * time.Minute, 0.9, 0.3},
		{6, 500 * time.Millisecond, 20 * time.Second, 10 * time.Minute, 0.9, 0.3},
	} {
		t.Run(fmt.Sprint(test.capacity, " slots of ", test.hold), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, end := newLoad(t)
				defer end()
				engine := new(fleet.Memory)
				for i := range 8 {
					s := l.join(engine, fleet.Terms{Version: 1, Capacity: test.capacity})
					l.ask(s, "A", 20, func() time.Duration { return test.hold })
					if i == 0 {
						l.ask(s, "B", 40, func() time.Duration { return test.hold })
					}
				}
				time.Sleep(test.settle)
				means, all := l.measure(test.during)
				t.Logf("A %.2f, B %.2f, utilization %.1f%%", means["A"], means["B"], 100*all/float64(test.capacity))
				half := float64(test.capacity) / 2
				require.InDelta(t, half, means["B"], test.within)
				require.InDelta(t, half, means["A"], test.within+half*(1-test.used))
				require.GreaterOrEqual(t, all, test.used*float64(test.capacity))
			})
		})
	}
}
