//go:build unix

package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/fleet/seats"
	"github.com/stretchr/testify/require"
)

// A Target is an engine that can be broken.
type Target struct {
	Addr     string
	Pause    func() error // nil: the network stalls instead
	Continue func() error
	Kill     func() error
	Start    func() error // after Kill
	Forget   func(name string) error

	// SetClock sets the engine's time of day, ahead of the machine's. nil: it
	// cannot be set.
	SetClock func(ahead time.Duration) error

	// Standby starts a replica. Detach has it stop following; then Promote
	// makes it serve, without what it has missed. nil: there is none.
	Standby func(t *testing.T) (addr string, detach, promote func() error)
}

// crew is a server, workers, and what stands between them and an engine.
type crew struct {
	t       *testing.T
	target  Target
	server  *seats.Server
	job     job
	workers []*hand
}

type hand struct {
	*exec.Cmd
	proxy *Proxy
	ended bool
	gone  chan struct{}
}

var fleets atomic.Int64

const capacity = 20

// quick are terms that let a scenario take seconds.
func quick(fence bool) fleet.Terms {
	return fleet.Terms{
		Version: 1, Capacity: capacity, Fence: fence,
		TTL: 2 * time.Second, Quarantine: time.Second, Refresh: 250 * time.Millisecond,
	}
}

func newCrew(t *testing.T, target Target) *crew {
	server, err := seats.Listen()
	require.NoError(t, err)
	c := &crew{t: t, target: target, server: server, job: job{
		Server: server.Addr(), Fleet: fmt.Sprint("faults-", fleets.Add(1)), Terms: quick(false), Fresh: true,
		Ask: map[string]int{"A": 8, "B": 4}, Hold: 100 * time.Millisecond,
	}}
	t.Cleanup(func() {
		for _, w := range c.workers {
			_ = w.Process.Signal(syscall.SIGCONT)
			_ = w.Process.Kill()
			if !w.ended {
				_ = w.Wait()
			}
			close(w.gone)
			w.proxy.Close()
		}
		server.Close()
	})
	return c
}

// hire starts workers.
func (c *crew) hire(n int) {
	for range n {
		proxy, err := NewProxy(c.target.Addr)
		require.NoError(c.t, err)
		j := c.job
		j.Engine = proxy.Addr()
		text, err := json.Marshal(j)
		require.NoError(c.t, err)
		w := &hand{Cmd: exec.Command(os.Args[0]), proxy: proxy, gone: make(chan struct{})}
		w.Env = append(os.Environ(), variable+"="+string(text))
		w.Stderr, w.SysProcAttr = os.Stderr, child()
		started := make(chan error)
		go func() {
			runtime.LockOSThread() // whose end would be that of the child
			started <- w.Start()
			<-w.gone
		}()
		if err := <-started; err != nil {
			close(w.gone)
			proxy.Close()
			require.NoError(c.t, err)
		}
		c.workers = append(c.workers, w)
	}
	c.job.Fresh = false
}

// hireFresh is hire, where the first worker may begin at once. All have their
// part of the capacity when it returns.
func (c *crew) hireFresh(n int) {
	c.hire(1)
	c.until(10*time.Second, "the first worker works", func() bool { return c.open() > 0 })
	c.hire(n - 1)
	least := c.job.Terms.Capacity / (2 * n)
	c.until(40*time.Second, "all have their part", func() bool {
		for _, w := range c.workers {
			if c.server.Of(processName(w.Process.Pid)) < least {
				return false
			}
		}
		return c.open() >= c.job.Terms.Capacity
	})
}

func (c *crew) open() int {
	now, _, _ := c.server.Open()
	return now
}

// stall has the engine not answer any more, or again.
func (c *crew) stall(on bool) {
	switch {
	case c.target.Pause == nil:
		for _, w := range c.workers {
			w.proxy.Cut(on, on)
		}
	case on:
		require.NoError(c.t, c.target.Pause())
	default:
		require.NoError(c.t, c.target.Continue())
	}
}

// full waits until the capacity is in use.
func (c *crew) full() {
	c.until(40*time.Second, "all slots are in use", func() bool { return c.open() >= c.job.Terms.Capacity })
}

func (c *crew) until(d time.Duration, what string, is func() bool) time.Duration {
	c.t.Helper()
	start := time.Now()
	for !is() {
		if time.Since(start) > d {
			now, peak, total := c.server.Open()
			require.Fail(c.t, "not in time: "+what, "%d open, %d at most, %d in all", now, peak, total)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(start)
}

// within asserts that the capacity was kept at every instant.
func (c *crew) within() {
	c.t.Helper()
	_, peak, total := c.server.Open()
	c.t.Logf("%d open at most, of %d; %d in all", peak, c.job.Terms.Capacity, total)
	require.LessOrEqual(c.t, peak, c.job.Terms.Capacity)
}

func (w *hand) signal(t *testing.T, s syscall.Signal) { require.NoError(t, w.Process.Signal(s)) }

// kill ends a worker as kill -9 does. It returns when the server has noticed.
func (c *crew) kill(w *hand) {
	w.signal(c.t, syscall.SIGKILL)
	_ = w.Wait()
	w.ended = true
	c.until(10*time.Second, "a dead worker has no connection", func() bool { return c.server.Of(processName(w.Process.Pid)) == 0 })
}

// dismiss has a worker leave.
func (w *hand) dismiss(t *testing.T) {
	w.signal(t, syscall.SIGTERM)
	require.NoError(t, w.Wait())
	w.ended = true
}
