package main

import (
	"fmt"
	"runtime/metrics"
	"time"
)

// settle returns when at least n goroutines are blocked and no other than the
// caller runs or is ready to. Peers do not tell how many wait for them; the
// runtime does. It returns an error if the number stays below n.
func settle(n int) error {
	const (
		sure = 2   // calm looks in a row, for the counts are approximate
		vain = 500 // looks at the same number, and
		long = 2 * time.Second
	)
	state := []metrics.Sample{
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
		{Name: "/sched/goroutines/waiting:goroutines"},
	}
	var most uint64
	rose := time.Now()
	for calm, same := 0, 0; ; same++ {
		metrics.Read(state)
		running, ready, blocked := state[0].Value.Uint64(), state[1].Value.Uint64(), state[2].Value.Uint64()
		if running <= 1 && ready == 0 && blocked >= uint64(n) {
			calm++
		} else {
			calm = 0
		}
		if blocked > most || blocked >= uint64(n) {
			most, same, rose = blocked, 0, time.Now()
		}
		switch {
		case calm == sure:
			return nil
		case same >= vain && time.Since(rose) > long:
			return fmt.Errorf("only %d goroutines are blocked, not %d", blocked, n)
		}
		time.Sleep(20 * time.Microsecond)
	}
}
