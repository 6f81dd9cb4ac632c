package main

import (
	"math"
	"slices"
	"sync"
	"time"
)

// A tally counts what happens in one run.
type tally struct {
	proxy string
	api   *api
	begun time.Time

	mu       sync.Mutex
	accounts []account // one for each tenant
}

// An account is the part of a tally that belongs to one tenant.
type account struct {
	sent  int
	times []time.Duration // of the requests that the API has served
}

func newTally(proxy string, a *api) *tally {
	return &tally{proxy: proxy, api: a, begun: time.Now(), accounts: make([]account, len(tenants))}
}

// note enters a request that was answered, or not, after so long.
func (t *tally) note(tenant int, served bool, after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &t.accounts[tenant]
	a.sent++
	if served {
		a.times = append(a.times, after)
	}
}

// now returns copies of the accounts.
func (t *tally) now() []account {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.accounts)
}

// sum adds up accounts.
func sum(accounts []account) (total account) {
	for _, a := range accounts {
		total.sent += a.sent
		total.times = append(total.times, a.times...)
	}
	return total
}

// success is the part of the requests that the API has served.
func (a account) success() float64 { return float64(len(a.times)) / float64(max(a.sent, 1)) }

// quantile is the least time that at least the fraction q of the served requests
// did not exceed, 0 if there were none.
func (a account) quantile(q float64) time.Duration {
	if len(a.times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(a.times))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}
