//go:build unix

package faults

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Run injects faults into an engine that nobody else uses: all, or those whose
// names are given.
func Run(t *testing.T, target Target, only ...string) {
	for _, s := range []struct {
		name  string
		play  func(t *testing.T, c *crew)
		alone bool // it breaks the engine
		short bool // it belongs to the short run too
	}{
		{"TheEngineStalls", stalled, true, false},
		{"TheEngineIsKilled", engineKilled, true, true},
		{"TheEngineForgets", forgets, true, true},
		{replica, failover, true, false},
		{clock, clockSet, true, true},
		{"None", none, false, true},
		{"ProcessesAreKilled", killed, false, true},
		{"ProcessesComeAndGo", churn, false, false},
		{"AStoppedProcessExceedsTheCapacityWithoutAFence", stoppedUnfenced, false, false},
		{"AStoppedProcessIsFenced", stoppedFenced, false, true},
		{"Partitioned", partitioned, false, false},
		{"RequestsAreLateDoubledAndReordered", unordered, false, false},
		{"ARollingRestartLowersTheCapacity", rolling, false, false},
	} {
		if len(only) > 0 && !slices.Contains(only, s.name) || s.name == replica && target.Standby == nil || s.name == clock && target.SetClock == nil {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			if testing.Short() && !s.short {
				t.Skip("not in the short run")
			}
			if !s.alone {
				t.Parallel() // when those that break the engine are over
			}
			s.play(t, newCrew(t, target))
		})
	}
}

const (
	replica = "AReplicaThatWasBehindTakesOver"
	clock   = "TheEnginesClockIsSet"
)

// long is how long a scenario goes on; FAIRPOOL_FLEET_LONG makes it ten times
// that.
func long(d time.Duration) time.Duration {
	if os.Getenv("FAIRPOOL_FLEET_LONG") != "" {
		return 10 * d
	}
	return d
}

// none: A asks on all workers, B on one, which is the first.
func none(t *testing.T, c *crew) {
	c.job.Ask = map[string]int{"A": 10, "B": 20}
	c.hire(1)
	c.until(10*time.Second, "the first worker works", func() bool { return c.open() > 0 })
	c.job.Ask = map[string]int{"A": 10}
	c.hire(3)
	c.full()
	time.Sleep(3 * time.Second)
	c.server.Forget()
	time.Sleep(long(4 * time.Second))
	tenants, all := c.server.Sums()
	t.Logf("A %.1f, B %.1f slot-seconds of %.1f", tenants["A"], tenants["B"], all)
	require.InDelta(t, 1, tenants["A"]/tenants["B"], 0.2, "the tenants are equal")
	c.within()
}

func killed(t *testing.T, c *crew) {
	c.hireFresh(4)
	c.kill(c.workers[1])
	c.kill(c.workers[3])
	back := c.until(20*time.Second, "what the dead had is in use again", func() bool { return c.open() == capacity })
	t.Logf("the slots of two killed workers were in use again after %v; TTL and Quarantine are %v",
		back, c.job.Terms.TTL+c.job.Terms.Quarantine)
	c.within()
}

func churn(t *testing.T, c *crew) {
	c.hireFresh(3)
	for end := time.Now().Add(long(5 * time.Second)); time.Now().Before(end); {
		c.hire(1)
		time.Sleep(400 * time.Millisecond)
		c.workers[len(c.workers)-1].dismiss(t)
	}
	for _, w := range c.workers[:3] {
		w.dismiss(t)
	}
	require.Zero(t, c.open())
	c.within()
}

// stopped stops a worker for longer than TTL and Quarantine.
func stopped(t *testing.T, c *crew) {
	c.hireFresh(4)
	c.server.Forget()
	c.workers[2].signal(t, syscall.SIGSTOP)
	time.Sleep(c.job.Terms.TTL + c.job.Terms.Quarantine + 2*time.Second)
}

// The exception that package fleet documents, so that nobody has to guess.
func stoppedUnfenced(t *testing.T, c *crew) {
	stopped(t, c)
	_, peak, _ := c.server.Open()
	t.Logf("%d open at most, of %d, while a worker was stopped without a fence", peak, capacity)
	require.Greater(t, peak, capacity)
	c.workers[2].signal(t, syscall.SIGCONT)
	c.until(10*time.Second, "the worker notices", func() bool { return c.open() <= capacity })
	c.server.Forget()
	time.Sleep(2 * time.Second)
	c.within()
}

func stoppedFenced(t *testing.T, c *crew) {
	c.job.Terms, c.job.Fence = quick(true), true
	stopped(t, c)
	c.until(5*time.Second, "the others have its slots", func() bool { return c.open() == capacity })
	c.workers[2].signal(t, syscall.SIGCONT)
	time.Sleep(2 * time.Second)
	c.within()
}

// stalled: for a short time nothing happens; for longer than TTL all stop.
func stalled(t *testing.T, c *crew) {
	c.hireFresh(4)
	// On a machine with much else to do a worker's last sync may be old already:
	// then once more.
	for try, kept := 1, 0; kept < capacity; try++ {
		require.LessOrEqual(t, try, 5, "grants outlast a short stall")
		c.full()
		c.stall(true)
		time.Sleep(c.job.Terms.TTL / 3)
		kept = c.open()
		c.stall(false)
		time.Sleep(time.Second)
	}
	c.stall(true)
	c.until(5*time.Second, "all fail closed", func() bool { return c.open() == 0 })
	c.stall(false)
	c.full()
	c.within()
}

func engineKilled(t *testing.T, c *crew) {
	c.hireFresh(4)
	for _, outage := range []time.Duration{100 * time.Millisecond, c.job.Terms.TTL + time.Second} {
		require.NoError(t, c.target.Kill())
		time.Sleep(outage)
		if outage > c.job.Terms.TTL {
			require.Zero(t, c.open(), "all fail closed")
		}
		require.NoError(t, c.target.Start())
		t.Logf("after an outage of %v all slots were in use again after %v", outage,
			c.until(30*time.Second, "all work again", func() bool { return c.open() == capacity }))
	}
	c.within()
}

// clockSet sets the engine's time of day by an hour and more: nobody's grant ends
// for it, and those of the dead still do.
func clockSet(t *testing.T, c *crew) {
	c.hireFresh(4)
	for _, ahead := range []time.Duration{time.Hour, -time.Hour, 0} {
		require.NoError(t, c.target.SetClock(ahead))
		for end := time.Now().Add(c.job.Terms.TTL); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			require.Positive(t, c.open(), "%v ahead", ahead)
		}
		c.full()
		c.kill(c.workers[len(c.workers)-1])
		t.Logf("%v ahead: the slots of a killed worker were in use again after %v", ahead,
			c.until(20*time.Second, "what the dead had is in use again", func() bool { return c.open() == capacity }))
		c.hire(1)
		c.full()
	}
	c.within()
}

func forgets(t *testing.T, c *crew) {
	c.hireFresh(4)
	require.NoError(t, c.target.Forget(c.job.Fleet))
	c.hire(2) // who would take all, if the others were forgotten
	time.Sleep(c.job.Terms.TTL)
	c.within()
	c.full()
	require.NoError(t, c.target.Forget(c.job.Fleet))
	c.kill(c.workers[0])
	c.until(20*time.Second, "nothing is lost", func() bool { return c.open() == capacity })
	c.within()
}

func partitioned(t *testing.T, c *crew) {
	c.hireFresh(4)
	for _, cut := range []struct{ requests, replies bool }{{true, true}, {true, false}, {false, true}} {
		proxy := c.workers[1].proxy
		proxy.Cut(cut.requests, cut.replies)
		time.Sleep(c.job.Terms.TTL + c.job.Terms.Quarantine + time.Second)
		proxy.Cut(false, false)
		c.full()
	}
	c.within()
}

func unordered(t *testing.T, c *crew) {
	c.job.Noise = true
	c.hire(4)
	c.until(30*time.Second, "some work", func() bool { return c.open() > 0 })
	time.Sleep(long(6 * time.Second))
	c.kill(c.workers[0])
	time.Sleep(long(4 * time.Second))
	_, _, total := c.server.Open()
	require.Greater(t, total, capacity)
	c.within()
}

func failover(t *testing.T, c *crew) {
	addr, detach, promote := c.target.Standby(t)
	c.hireFresh(3)
	time.Sleep(500 * time.Millisecond)
	require.NoError(t, detach())
	c.hire(2) // of whom the replica does not know
	time.Sleep(c.job.Terms.TTL)
	require.NoError(t, c.target.Kill())
	require.NoError(t, promote())
	for _, w := range c.workers {
		w.proxy.Target(addr)
	}
	time.Sleep(c.job.Terms.TTL)
	c.full()
	c.kill(c.workers[0])
	c.until(20*time.Second, "nothing is lost", func() bool { return c.open() == capacity })
	c.within()
	require.NoError(t, c.target.Start())
}

func rolling(t *testing.T, c *crew) {
	c.hireFresh(3)
	c.job.Terms.Version, c.job.Terms.Capacity = 2, 8
	for i := range 3 {
		c.hire(1)
		time.Sleep(500 * time.Millisecond)
		c.workers[i].dismiss(t)
	}
	c.until(10*time.Second, "the new capacity is kept", func() bool { return c.open() <= 8 })
	c.server.Forget()
	time.Sleep(2 * time.Second)
	c.full()
	c.within()
}
