package pool_test

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A crowd is the callers of one tenant, each of which asks again as soon as it
// has had a thing for a while.
type crowd struct {
	tenant string
	size   int
	hold   time.Duration

	mu    sync.Mutex
	used  time.Duration // slot-time
	worst time.Duration // wait
}

func (c *crowd) start(t *testing.T, all *sync.WaitGroup, p *pool.Pool[*thing], end time.Time) {
	for range c.size {
		all.Go(func() {
			for time.Now().Before(end) {
				asked := time.Now()
				l, err := p.Acquire(background, c.tenant)
				if err != nil {
					t.Error(err)
					return
				}
				granted := time.Now()
				time.Sleep(c.hold)
				c.mu.Lock()
				c.used += time.Since(granted)
				c.worst = max(c.worst, granted.Sub(asked))
				c.mu.Unlock()
				l.Release()
			}
		})
	}
}

// Invariant 5, with the bound of package sched:
// |dS_f - dS_g| <= (H+R)(m_f/w_f + m_g/w_g) + B(1/w_f + 1/w_g).
func TestBackloggedTenantsShareTheResourcesByWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			slots   = 4
			longest = 50 * time.Millisecond
			horizon = 20 * time.Millisecond
			burst   = 4 * horizon
			heavy   = 2.0 // the weight of g
		)
		p := newPool(t, &factory{}, sharing(slots, fairshare.Config{
			Horizon: horizon,
			Tenants: map[string]fairshare.Share{"g": {Weight: heavy}},
		}))
		f := &crowd{tenant: "f", size: 2 * slots, hold: 5 * time.Millisecond}
		g := &crowd{tenant: "g", size: 2 * slots, hold: longest}
		var all sync.WaitGroup
		end := time.Now().Add(20 * time.Second)
		f.start(t, &all, p, end)
		g.start(t, &all, p, end)

		// The difference over any interval is at most the spread of S_f - S_g.
		least, most := math.Inf(1), math.Inf(-1)
		for time.Now().Before(end) {
			time.Sleep(17 * time.Millisecond)
			service := make(map[string]time.Duration)
			for name, stats := range p.Tenants() {
				service[name] = stats.Service
			}
			difference := float64(service["f"] - service["g"])
			least, most = min(least, difference), max(most, difference)
		}
		all.Wait()

		bound := float64(longest+horizon)*(slots+slots/heavy) + float64(burst)*(1+1/heavy)
		t.Logf("spread %v, bound %v", time.Duration(most-least), time.Duration(bound))
		require.Less(t, most-least, bound)
		// The same by the tests' own clock, as shares of the whole.
		total := (f.used + g.used).Seconds()
		require.InDelta(t, 1/3.0, f.used.Seconds()/total, 0.01)
		require.InDelta(t, 2/3.0, g.used.Seconds()/total, 0.01)
		require.InDelta(t, 20*slots, total, 1, "work-conserving: no slot is idle while somebody waits")
	})
}

// Invariant 6: with n rivals that stay backlogged a waiter without debt is
// served within about H + (n*H + sum of B)/N.
func TestAFloodOfRivalsStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			slots, rivals = 4, 10
			hold          = 100 * time.Millisecond
			burst         = 4 * hold
			bound         = hold + (rivals*hold+rivals*burst)/slots
		)
		p := newPool(t, &factory{}, sharing(slots, fairshare.Config{Horizon: hold}))
		var all sync.WaitGroup
		end := time.Now().Add(30 * time.Second)
		var crowds []*crowd
		for i := range rivals {
			c := &crowd{tenant: fmt.Sprint("rival-", i), size: 20, hold: hold}
			c.start(t, &all, p, end)
			crowds = append(crowds, c)
		}
		worst := time.Duration(0)
		for i := 0; time.Now().Before(end); i++ {
			time.Sleep(73 * time.Millisecond)
			// One that comes back, and one that nobody has seen before.
			for _, tenant := range []string{"light", fmt.Sprint("new-", i)} {
				w := begin(background, p, tenant)
				w.granted(t).Release()
				worst = max(worst, w.waited)
			}
		}
		all.Wait()
		t.Logf("worst wait %v, bound %v", worst, bound)
		require.LessOrEqual(t, worst, bound)
		// Each rival has 20 callers and a share of 4/10 slot: a caller's turn
		// comes every 20*100ms/0.4 = 5 s.
		for _, c := range crowds {
			require.LessOrEqual(t, c.worst, 5*time.Second+bound, c.tenant)
		}
	})
}
