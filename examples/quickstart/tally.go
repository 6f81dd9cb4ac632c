package main

import (
	"math"
	"slices"
	"sync"
	"time"
)

// A tally counts what happens in one run. It measures each wait from the
// moment when the request was due, so that a late start counts too.
type tally struct {
	pool  string
	load  load
	begin time.Time

	mu       sync.Mutex
	accounts []account // one for each tenant
}

// An account is the part of a tally that belongs to one tenant.
type account struct {
	pending map[*request]bool // wait for a connection
	held    int               // connections

	done     int             // queries
	givenUp  int             // or interrupted, because the run was over
	waits    []time.Duration // for a connection, also those in vain
	slotTime time.Duration   // for which connections were held
}

func newTally(pool string, l load) *tally {
	t := &tally{pool: pool, load: l, begin: time.Now(), accounts: make([]account, len(tenants))}
	for i := range t.accounts {
		t.accounts[i].pending = make(map[*request]bool)
	}
	return t
}

// of locks the tally for an entry in the account of the tenant of r.
func (t *tally) of(r *request) (a *account, now time.Duration, unlock func()) {
	t.mu.Lock()
	return &t.accounts[r.tenant], time.Since(t.begin), t.mu.Unlock
}

func (t *tally) waits(r *request) {
	a, _, unlock := t.of(r)
	defer unlock()
	a.pending[r] = true
}

func (t *tally) givesUp(r *request) {
	a, now, unlock := t.of(r)
	defer unlock()
	delete(a.pending, r)
	a.waits = append(a.waits, max(0, now-r.due))
	a.givenUp++
}

func (t *tally) holds(r *request) (since time.Duration) {
	a, now, unlock := t.of(r)
	defer unlock()
	delete(a.pending, r)
	a.waits = append(a.waits, max(0, now-r.due))
	a.held++
	return now
}

func (t *tally) returns(r *request, since time.Duration, done bool) {
	a, now, unlock := t.of(r)
	defer unlock()
	a.held--
	a.slotTime += now - since
	if !done {
		a.givenUp++
		return
	}
	a.done++
}

// A moment is what a view shows of one tenant.
type moment struct {
	held, waiting, done int
	longest             time.Duration // that one of those waiting has waited
}

// now returns the present state, with the time since the start of the run.
func (t *tally) now() (time.Duration, []moment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Since(t.begin)
	moments := make([]moment, len(t.accounts))
	for i, a := range t.accounts {
		m := moment{held: a.held, waiting: len(a.pending), done: a.done}
		for r := range a.pending {
			m.longest = max(m.longest, now-r.due)
		}
		moments[i] = m
	}
	return now, moments
}

// webWaits returns the waits of all tenants but the batch.
func (t *tally) webWaits() (waits []time.Duration) {
	for _, a := range t.accounts[batch+1:] {
		waits = append(waits, a.waits...)
	}
	return waits
}

// quantile is the least wait that at least the fraction q of the waits do not
// exceed.
func quantile(waits []time.Duration, q float64) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(waits))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}
