package main

import (
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A load is one kind of work on one peer, prepared so that every round does the
// same.
type load interface {
	Round() (sample, error)
	Close()
}

// A sample is what one round measured.
type sample struct {
	each   float64 // nanoseconds or bytes for each operation
	allocs float64 // allocations for each operation
	ops    int

	unserved float64 // share of the goroutines that did none of them

	latencies *hdrhistogram.Histogram // of the operations, in nanoseconds, if each was measured
}

// timed has run do ops operations under the clock. Everything that run works
// on was prepared before; the garbage collector starts afresh.
func timed(ops int, run func()) sample {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	run()
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	return sample{
		each:   float64(elapsed) / float64(ops),
		allocs: float64(after.Mallocs-before.Mallocs) / float64(ops),
		ops:    ops,
	}
}
