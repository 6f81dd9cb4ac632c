package main

import (
	"math"
	"time"
)

// A record is what became of a load under a rule.
type record struct {
	load     load
	ideal    ideal
	now      time.Duration
	capacity int
	inUse    int
	offered  float64 // slot-seconds of capacity, and of slots that a lesser one left out
	excess   int     // grants beyond the capacity in force
	accounts []account
	present  []int // tenants that are there throughout
	lag      float64
	sampled  int
	waits    []time.Duration // of the light tenants
	pending  []*request      // of the light tenants
	trace    func(at time.Duration, tenant, held int)
}

// An account is one tenant's, since load.from.
type account struct {
	held     int
	mark     time.Duration
	slotTime float64 // slot-seconds
	squares  float64 // integral of held squared
	served   bool
}

func newRecord(l load, best ideal) *record {
	r := &record{load: l, ideal: best, capacity: l.capacity, accounts: make([]account, len(l.tenants))}
	for i, t := range l.tenants {
		if t.present(l) {
			r.present = append(r.present, i)
		}
	}
	return r
}

// pass lets the time go on.
func (r *record) pass(to time.Duration) {
	if r.now < r.load.from && to >= r.load.from {
		r.offer(r.load.from)
		r.offered = 0
		for i := range r.accounts {
			r.accounts[i].mark, r.accounts[i].slotTime, r.accounts[i].squares = r.load.from, 0, 0
		}
	}
	for n := len(r.ideal.samples); r.sampled < n && r.load.sample(r.sampled, n) <= to; r.sampled++ {
		r.sample(r.load.sample(r.sampled, n))
	}
	r.offer(to)
}

func (r *record) offer(to time.Duration) {
	r.offered += float64(max(r.capacity, r.inUse)) * (to - r.now).Seconds()
	r.now = to
}

func (r *record) resize(now time.Duration, capacity int) {
	r.pass(now)
	r.capacity = capacity
}

func (r *record) settle(tenant int, now time.Duration) *account {
	a := &r.accounts[tenant]
	d := (now - a.mark).Seconds()
	a.mark = now
	a.slotTime += float64(a.held) * d
	a.squares += float64(a.held*a.held) * d
	return a
}

// sample compares with the ideal: how far any two tenants that are
// there throughout have come apart.
func (r *record) sample(now time.Duration) {
	ahead, behind := math.Inf(-1), math.Inf(1)
	for _, i := range r.present {
		a := r.settle(i, now)
		lead := (a.slotTime - r.ideal.samples[r.sampled][i]) / r.load.tenants[i].weight
		ahead, behind = max(ahead, lead), min(behind, lead)
	}
	r.lag = max(r.lag, ahead-behind)
}

func (r *record) asked(q *request) {
	if r.load.tenants[q.payer].light && q.asked >= r.load.from {
		r.pending = append(r.pending, q)
	}
}

func (r *record) granted(now time.Duration, q *request) {
	a := r.settle(q.payer, now)
	a.held++
	r.inUse++
	if r.load.tenants[q.payer].light && q.asked >= r.load.from && !(r.load.firstOnly && a.served) {
		r.waits = append(r.waits, now-q.asked)
		a.served = true
	}
	if r.trace != nil {
		r.trace(now, q.payer, a.held)
	}
}

func (r *record) returned(now time.Duration, q *request) {
	a := r.settle(q.payer, now)
	a.held--
	r.inUse--
	if r.trace != nil {
		r.trace(now, q.payer, a.held)
	}
}

// finish counts the waits that have not ended as long as they have lasted.
func (r *record) finish() {
	for i := range r.accounts {
		r.settle(i, r.load.until)
	}
	for _, q := range r.pending {
		a := &r.accounts[q.payer]
		if q.state == waiting && !(r.load.firstOnly && a.served) {
			r.waits = append(r.waits, r.load.until-q.asked)
			a.served = true
		}
	}
}
