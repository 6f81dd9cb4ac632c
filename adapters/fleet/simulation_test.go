package fleet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// counted is a Memory that counts its steps.
type counted struct {
	fleet.Memory
	mu    sync.Mutex
	steps int
}

func (c *counted) Sync(ctx context.Context, r fleet.Request) (fleet.Reply, error) {
	c.mu.Lock()
	c.steps++
	c.mu.Unlock()
	return c.Memory.Sync(ctx, r)
}

// TestSimulation is a fleet in virtual time, of members that share the state
// machine: all tenants ask for more than they are due, in one to four processes
// each, with one to four callers in each. FAIRPOOL_FLEET_SIMULATE=1 has 500
// processes and 10,000 tenants.
func TestSimulation(t *testing.T) {
	processes, tenants := 40, 400
	if testing.Short() {
		processes, tenants = 10, 100
	}
	if os.Getenv("FAIRPOOL_FLEET_SIMULATE") != "" {
		processes, tenants = 500, 10_000
	}
	synctest.Test(t, func(t *testing.T) {
		const during = 2 * time.Minute
		capacity := 4 * processes
		random := rand.New(rand.NewPCG(1, 1))
		l, end := newLoad(t)
		defer end()
		engine := new(counted)
		var semaphores []*fairshare.Semaphore
		for range processes {
			semaphores = append(semaphores, l.join(engine, fleet.Terms{Version: 1, Capacity: capacity}))
		}
		for i := range tenants {
			for range 1 + random.IntN(4) {
				l.ask(semaphores[random.IntN(processes)], fmt.Sprint("tenant ", i), 1+random.IntN(4), func() time.Duration {
					return time.Duration((0.5 + rand.Float64()) * float64(time.Second))
				})
			}
		}
		start := time.Now()
		for {
			l.mu.Lock()
			all := l.all
			l.mu.Unlock()
			if all >= capacity*97/100 {
				break
			}
			time.Sleep(10 * time.Millisecond)
			require.Less(t, time.Since(start), 10*time.Second)
		}
		full := time.Since(start)
		time.Sleep(20*time.Second - full)
		engine.mu.Lock()
		engine.steps = 0
		engine.mu.Unlock()
		means, all := l.measure(during)
		engine.mu.Lock()
		steps := engine.steps
		engine.mu.Unlock()

		share := float64(capacity) / float64(tenants)
		sum, squares, least, most := 0.0, 0.0, share, share
		for i := range tenants {
			mean := means[fmt.Sprint("tenant ", i)]
			sum += mean
			squares += mean * mean
			least, most = min(least, mean), max(most, mean)
		}
		jain := sum * sum / (float64(tenants) * squares)
		t.Logf("%d processes, %d tenants, %d slots: 97%% in use after %v; over %v utilization %.1f%%, Jain %.4f, least %.2f and most %.2f of %.2f slots; %.2f syncs a second per process",
			processes, tenants, capacity, full, during, 100*all/float64(capacity), jain, least, most, share,
			float64(steps)/during.Seconds()/float64(processes))
		require.GreaterOrEqual(t, all, 0.97*float64(capacity))
		require.Greater(t, jain, 0.97)
		require.Greater(t, least, 0.3*share, "nobody starves")
		require.Less(t, float64(steps), 1.6*during.Seconds()*float64(processes))
	})
}
