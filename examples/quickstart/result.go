package main

import (
	"slices"
	"time"
)

// A result is what several runs of one pool come to.
type result struct {
	pool    string
	rounds  int
	tenants []served
	webWait time.Duration // p99 of all tenants but the batch, the median of the runs
}

// served is what one tenant got: queries and slot-time of all runs together, and
// the medians of the waits of each run.
type served struct {
	done, givenUp   int
	slotTime        time.Duration
	p50, p99, worst time.Duration
}

// resultOf puts the runs of one pool together, at least one.
func resultOf(runs []*tally) result {
	r := result{pool: runs[0].pool, rounds: len(runs), tenants: make([]served, len(tenants))}
	for i := range r.tenants {
		s := &r.tenants[i]
		for _, t := range runs {
			s.done += t.accounts[i].done
			s.givenUp += t.accounts[i].givenUp
			s.slotTime += t.accounts[i].slotTime
		}
		wait := func(q float64) time.Duration {
			return medianOf(runs, func(t *tally) time.Duration { return quantile(t.accounts[i].waits, q) })
		}
		s.p50, s.p99, s.worst = wait(0.50), wait(0.99), wait(1)
	}
	r.webWait = medianOf(runs, func(t *tally) time.Duration { return quantile(t.webWaits(), 0.99) })
	return r
}

func medianOf(runs []*tally, of func(*tally) time.Duration) time.Duration {
	var values []time.Duration
	for _, t := range runs {
		values = append(values, of(t))
	}
	return median(values)
}

// median returns the one in the middle, or what is in the middle between two.
func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
