package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"
)

// A tally is what happened in a run.
type tally struct {
	name  string
	begun time.Time

	mu      sync.Mutex
	seconds []second
}

// A second is what ended in one.
type second struct {
	served int // of all tenants
	sent   int // by the small ones
	small  []time.Duration
	limit  int
}

func newTally(name string, seconds int) *tally {
	return &tally{name: name, begun: time.Now(), seconds: make([]second, seconds)}
}

func (t *tally) note(tenant string, ok bool, begun time.Time) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	i := int(now.Sub(t.begun) / time.Second)
	if i >= len(t.seconds) {
		return
	}
	s := &t.seconds[i]
	if ok {
		s.served++
	}
	if tenant == "flood" {
		return
	}
	s.sent++
	if ok {
		s.small = append(s.small, now.Sub(begun))
	}
}

// between sums up some seconds. The limit is the last.
func (t *tally) between(from, to int) (sum second) {
	for _, s := range t.seconds[from:to] {
		sum.served += s.served
		sum.sent += s.sent
		sum.small = append(sum.small, s.small...)
		sum.limit = s.limit
	}
	return sum
}

// quantile is the least time that at least the fraction q of those served kept to.
func (s second) quantile(q float64) time.Duration {
	if len(s.small) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.small))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// printTable prints the second half of each phase, as a table in Markdown.
func printTable(out io.Writer, runs []*tally, phase time.Duration) {
	n := int(phase / time.Second)
	fmt.Fprint(out, "\n| the second half of each phase | work | small tenants: served | p50 | p99 | all served | limit |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for _, t := range runs {
		for i, took := range []time.Duration{work, 2 * work, work} {
			s := t.between(i*n+n/2, (i+1)*n)
			fmt.Fprintf(out, "| %s | %v | %.1f%% | %d ms | %d ms | %d/s | %d |\n", t.name, took,
				100*float64(len(s.small))/float64(max(s.sent, 1)), s.quantile(0.5).Milliseconds(), s.quantile(0.99).Milliseconds(),
				s.served/(n-n/2), s.limit)
		}
	}
}
