package main

import (
	"fmt"
	"runtime/metrics"
	"time"
)

// settle returns when at least n goroutines are blocked and no other than the
// caller runs or is ready to. Peers do not tell how many wait for them; the
// runtime does. It returns an error if all is calm but fewer are blocked.
func settle(n int) error {
	const (
		sure = 2    // calm looks in a row, for the counts are approximate
		vain = 2000 // calm looks after which no more will block
	)
	state := []metrics.Sample{
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
		{Name: "/sched/goroutines/waiting:goroutines"},
	}
	for calm := 0; ; {
		metrics.Read(state)
		running, ready, blocked := state[0].Value.Uint64(), state[1].Value.Uint64(), state[2].Value.Uint64()
		if running > 1 || ready > 0 {
			calm = 0
		} else {
			calm++
		}
		switch {
		case calm >= sure && blocked >= uint64(n):
			return nil
		case calm >= vain:
			return fmt.Errorf("only %d goroutines are blocked, not %d", blocked, n)
		}
		time.Sleep(20 * time.Microsecond)
	}
}
