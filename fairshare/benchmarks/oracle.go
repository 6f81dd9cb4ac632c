package main

import (
	"math"
	"slices"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// An ideal is what each tenant would get of a pool that could be divided as
// finely as one likes, and anew at every moment: weighted max-min fairness over
// time. A tenant's demand is what it could hold then: the workers that are
// there, and the requests that are not done yet, of which the oldest are served
// first and none faster than with a whole slot.
type ideal struct {
	total   []float64   // slot-seconds, from load.from to load.until
	samples [][]float64 // the same until each of the sampling times
}

// A fluid is the state of that pool.
type fluid struct {
	capacity float64
	tenants  []fluidTenant
	active   []int // indices of tenants with a demand
}

type fluidTenant struct {
	weight  float64
	crew    int
	open    []*fluidRequest
	rate    float64 // slots
	service float64 // slot-seconds
}

type fluidRequest struct {
	left    float64 // slot-seconds
	started bool
}

// done is less work than counts, in slot-seconds.
const done = 1e-9

// A change is something that happens to the fluid from outside.
type change struct {
	at time.Duration
	do func(*fluid)
}

func oracle(l load, samples int) ideal {
	f := &fluid{capacity: float64(l.capacity), tenants: make([]fluidTenant, len(l.tenants))}
	changes := f.changes(l)
	var out ideal
	record := func(*fluid) {
		row := make([]float64, len(f.tenants))
		for i, t := range f.tenants {
			row[i] = t.service
		}
		out.samples = append(out.samples, row)
	}
	changes = append(changes, change{l.from, func(*fluid) {
		for i := range f.tenants {
			f.tenants[i].service = 0
		}
	}})
	for k := range samples {
		changes = append(changes, change{l.sample(k, samples), record})
	}
	slices.SortStableFunc(changes, func(a, b change) int { return int(a.at - b.at) })

	now := 0.0
	for len(changes) > 0 && changes[0].at <= l.until {
		next := changes[0].at.Seconds()
		f.divide()
		for {
			d := f.completion()
			if now+d >= next {
				break
			}
			f.flow(d)
			now += d
			f.divide()
		}
		f.flow(next - now)
		now = next
		at := changes[0].at
		for len(changes) > 0 && changes[0].at == at {
			changes[0].do(f)
			changes = changes[1:]
		}
	}
	f.divide()
	out.total = out.samples[len(out.samples)-1]
	return out
}

// sample is the k-th of n sampling times, the last of which is the end.
func (l load) sample(k, n int) time.Duration {
	return l.from + (l.until-l.from)*time.Duration(k+1)/time.Duration(n)
}

func (f *fluid) changes(l load) (all []change) {
	for _, r := range l.resizes {
		all = append(all, change{r.at, func(f *fluid) { f.capacity = float64(r.capacity) }})
	}
	for _, w := range l.weighed {
		all = append(all, change{w.at, func(f *fluid) { f.tenants[w.tenant].weight = w.weight }})
	}
	for i, t := range l.tenants {
		f.tenants[i].weight = t.weight
		for _, c := range t.crews {
			all = append(all,
				change{c.from, func(f *fluid) { f.tenants[i].crew += c.workers }},
				change{c.until, func(f *fluid) { f.tenants[i].crew -= c.workers }})
		}
		for _, a := range t.arrivals {
			r := &fluidRequest{left: a.hold.Seconds()}
			all = append(all, change{a.at, func(f *fluid) { f.tenants[i].open = append(f.tenants[i].open, r) }})
			if a.patience > 0 {
				all = append(all, change{a.at + a.patience, func(f *fluid) { f.giveUp(i, r) }})
			}
		}
	}
	return all
}

func (f *fluid) giveUp(tenant int, r *fluidRequest) {
	t := &f.tenants[tenant]
	if at := slices.Index(t.open, r); at >= 0 && !r.started {
		t.open = slices.Delete(t.open, at, at+1)
	}
}

// divide works out the rates.
func (f *fluid) divide() {
	f.active = f.active[:0]
	var claims []sched.Claim
	for i := range f.tenants {
		t := &f.tenants[i]
		t.rate = 0
		if n := t.crew + len(t.open); n > 0 {
			f.active = append(f.active, i)
			claims = append(claims, sched.Claim{Weight: t.weight, Demand: float64(n)})
		}
	}
	for k, rate := range sched.MaxMin(f.capacity, claims) {
		f.tenants[f.active[k]].rate = rate
	}
}

// each calls fn for the open requests that are being served, and how fast.
func (t *fluidTenant) each(fn func(r *fluidRequest, rate float64)) {
	rate := t.rate
	for _, r := range t.open {
		if rate <= 0 {
			return
		}
		fn(r, min(1, rate))
		rate--
	}
}

// completion is the time until the next request is done, at the present rates.
func (f *fluid) completion() float64 {
	soonest := math.Inf(1)
	for _, i := range f.active {
		f.tenants[i].each(func(r *fluidRequest, rate float64) { soonest = min(soonest, r.left/rate) })
	}
	return soonest
}

// flow lets the time pass, in seconds.
func (f *fluid) flow(d float64) {
	for _, i := range f.active {
		t := &f.tenants[i]
		t.service += t.rate * d
		any := false
		t.each(func(r *fluidRequest, rate float64) {
			r.left -= rate * d
			r.started = true
			any = any || r.left <= done
		})
		if any {
			t.open = slices.DeleteFunc(t.open, func(r *fluidRequest) bool { return r.started && r.left <= done })
		}
	}
}
