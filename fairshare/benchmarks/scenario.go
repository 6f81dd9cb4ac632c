package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// A scenario is a load and what it is about.
type scenario struct {
	id    string
	about string
	build func(size) load

	metric string // what the scenario is about
	unit   string
	ideal  float64
	more   bool    // whether more is better
	grain  float64 // for the colors of the overview: less is as good as this
	value  func(figures) float64
}

// A size is how long the scenarios last: 1 is the full length. Shorter runs
// show the same within more noise.
type size float64

const (
	full  size = 1
	quick size = 0.1
)

func (s size) of(d time.Duration) time.Duration { return time.Duration(float64(s) * float64(d)) }

var (
	jainIndex   = func(f figures) float64 { return f.jain }
	mostOff     = func(f figures) float64 { return f.off }
	worstOff    = func(f figures) float64 { return f.worst }
	meanWait    = func(f figures) float64 { return f.mean }
	p99Wait     = func(f figures) float64 { return f.p99 }
	deviation   = func(f figures) float64 { return f.deviation }
	match       = func(f figures) float64 { return f.match }
	worstMetric = "least that a tenant got of its ideal"
)

// scenarios are those of the scheduler's design, where there is no K, and those
// from P on, which came later.
var scenarios = []scenario{
	{id: "A", about: "4 slots; 10 tenants hold Exp(10 ms), 10 hold Exp(1 s), all backlogged",
		metric: "Jain's index", ideal: 1, more: true, value: jainIndex,
		build: func(s size) load { return shortAndLong(4, 10, s.of(600*time.Second)) }},
	{id: "B1", about: "16 slots, 2 backlogged tenants, constant 1 s holds",
		metric: "std. dev. of slots held", grain: 0.5, value: deviation,
		build: func(s size) load { return two(constant(time.Second), s) }},
	{id: "B2", about: "16 slots, 2 backlogged tenants, Exp(1 s) holds",
		metric: "std. dev. of slots held", grain: 0.5, value: deviation,
		build: func(s size) load { return two(exponential(time.Second), s) }},
	{id: "B3", about: "16 slots, 2 backlogged tenants, Pareto(1.5) holds of 1 s",
		metric: "std. dev. of slots held", grain: 0.5, value: deviation,
		build: func(s size) load { return two(pareto(1.5, time.Second), s) }},
	{id: "C", about: "16 slots, a hog with 57 workers and Exp(1 s) holds; every 20 s a newcomer with 17 workers, for 10 s",
		metric: "newcomer's mean wait for its first slot", unit: "s", grain: 0.01, value: meanWait, build: joiners},
	{id: "D", about: "16 slots, 10 heavy tenants with 26 workers each, one light at 0.3/s; Exp(1 s) holds",
		metric: "light tenant's p99 wait", unit: "s", grain: 0.01, value: p99Wait, build: lightAmongHeavy},
	{id: "E1", about: "10 slots; one tenant's 9 workers had them alone for 300 s, then two are backlogged; Exp(1 s) holds",
		metric: worstMetric, ideal: 1, more: true, value: worstOff,
		build: func(s size) load { return aloneBefore(s, 11, crewOfNine) }},
	{id: "E2", about: "10 slots; one tenant took 9 of them for 330 s; after 300 s two have 30 workers each with Exp(1 s) holds",
		metric: worstMetric, ideal: 1, more: true, value: worstOff,
		build: func(s size) load { return aloneBefore(s, 30, nineHolds) }},
	{id: "F", about: "16 slots; 50 tenants hold Exp(10 ms), 50 hold Exp(1 s), all backlogged",
		metric: "Jain's index", ideal: 1, more: true, value: jainIndex,
		build: func(s size) load { return shortAndLong(16, 50, s.of(300*time.Second)) }},
	{id: "G", about: "8 slots, weights 1:2:3:4, all backlogged, Exp(1 s) holds",
		metric: worstMetric, ideal: 1, more: true, value: worstOff, build: weighted},
	{id: "H", about: "4 slots; one tenant holds 10 s in a closed loop against 20 backlogged with Exp(10 ms)",
		metric: "Jain's index", ideal: 1, more: true, value: jainIndex, build: closedLoop},
	{id: "I", about: "10 slots, 1,000 backlogged tenants with mean holds from 10 ms to 1 s",
		metric: "Jain's index", ideal: 1, more: true, value: jainIndex, build: thousand},
	{id: "J", about: "16 slots, a hog with 32 workers and Exp(60 s) holds; a newcomer about each 50 s holds Exp(2 s) once",
		metric: "newcomer's p99 wait", unit: "s", grain: 0.01, value: p99Wait, build: newcomers},
	{id: "L", about: "8 slots; one tenant with 40 workers always, one with 9 in phases of 5 s; Exp(100 ms) holds",
		metric: worstMetric, ideal: 1, more: true, value: worstOff, build: onAndOff},
	{id: "M", about: "8 slots; 100, 200, 400 and 800 requests/s of Exp(50 ms); 9 of 10 waiters give up within 500 ms",
		metric: worstMetric, ideal: 1, more: true, value: worstOff, build: cancelStorm},
	{id: "N", about: "16 slots; 240 requests/s of Exp(100 ms) from 10,000 tenants of Zipf(1.1) popularity: half as much again as fits",
		metric: "slot-time that reached whom it belongs to", ideal: 1, more: true, value: match, build: zipf},
	{id: "O", about: "capacity 10, 4, 12, 10, 4, 12; tenants with 20, 40 and 80 workers and Exp(100 ms), Exp(500 ms) and Exp(1 s) holds",
		metric: worstMetric, ideal: 1, more: true, value: worstOff, build: resized},
	{id: "P", about: "16 slots; a hog with 57 workers and Exp(1 s) holds, and one light tenant at 0.1/s that holds Exp(10 s): one slot, of the eight it might have",
		metric: "light tenant's p99 wait", unit: "s", grain: 0.01, value: p99Wait, build: lightBesideHog},
	{id: "Q", about: "4 slots; 3 tenants with 5 workers each beside 8 requests in flight, each under a name never used before; Exp(100 ms) holds. Ideal is what they would get beside 8 tenants with one request each",
		metric: "least that a tenant with a name got of its ideal", ideal: 1, more: true, value: worstOff, build: freshNames},
	{id: "R", about: "4 slots; a tenant of weight 100 and one of weight 1 with 5 workers each, so that the queue of the heavy one is empty now and then for an instant; Exp(100 ms) holds",
		metric: "times that a tenant got more or less than its ideal", ideal: 1, grain: 1.05, value: mostOff, build: heavyAndLight},
	{id: "S", about: "4 slots; 10 backlogged tenants, one with a weight of 0.25 and 4 in turn for 20 s, the others 1; Exp(1 s) holds",
		metric: worstMetric, ideal: 1, more: true, value: worstOff, build: changingWeight},
}

func shortAndLong(capacity, each int, until time.Duration) load {
	l := load{capacity: capacity, until: until}
	for i := range 2 * each {
		hold := exponential(10 * time.Millisecond)
		if i >= each {
			hold = exponential(time.Second)
		}
		l.tenants = append(l.tenants, backlogged(capacity, hold))
	}
	return l
}

func two(hold distribution, s size) load {
	return load{capacity: 16, from: 20 * time.Second, until: 20*time.Second + s.of(600*time.Second),
		tenants: []tenant{backlogged(16, hold), backlogged(16, hold)}}
}

func joiners(s size) load {
	hold := exponential(time.Second)
	l := load{capacity: 16, from: 10 * time.Second, firstOnly: true}
	hog := backlogged(16, hold)
	hog.crews[0].workers = 57
	l.tenants = append(l.tenants, hog)
	n := int(400 * s)
	for i := range n {
		at := time.Duration(i+1) * 20 * time.Second
		l.tenants = append(l.tenants, tenant{weight: 1, light: true, counted: true, hold: hold,
			crews: []crew{{workers: 17, from: at, until: at + 10*time.Second}}})
	}
	l.until = time.Duration(n+1) * 20 * time.Second
	return l
}

func lightAmongHeavy(s size) load {
	hold := exponential(time.Second)
	l := load{capacity: 16, from: 60 * time.Second, until: 60*time.Second + s.of(10_000*time.Second)}
	for range 10 {
		heavy := backlogged(16, hold)
		heavy.crews[0].workers = 26
		l.tenants = append(l.tenants, heavy)
	}
	r := rand.New(rand.NewPCG(4, 0))
	l.tenants = append(l.tenants, tenant{weight: 1, light: true, counted: true,
		arrivals: poisson(r, 0.3, l.from, l.until, hold)})
	return l
}

func lightBesideHog(s size) load {
	l := load{capacity: 16, from: 60 * time.Second, until: 60*time.Second + s.of(20_000*time.Second)}
	hog := backlogged(16, exponential(time.Second))
	hog.crews[0].workers = 57
	r := rand.New(rand.NewPCG(16, 0))
	light := tenant{weight: 1, light: true, counted: true,
		arrivals: poisson(r, 0.1, l.from, l.until, exponential(10*time.Second))}
	l.tenants = []tenant{hog, light}
	return l
}

func freshNames(s size) load {
	hold := exponential(100 * time.Millisecond)
	l := load{capacity: 4, from: 10 * time.Second, until: 10*time.Second + s.of(300*time.Second)}
	for range 3 {
		l.tenants = append(l.tenants, backlogged(4, hold))
	}
	for range 8 {
		l.tenants = append(l.tenants, tenant{weight: 1, fresh: true, hold: hold, crews: []crew{{workers: 1, until: always}}})
	}
	l.names = int(1.2 * 40 * l.until.Seconds())
	return l
}

func heavyAndLight(s size) load {
	l := load{capacity: 4, from: 20 * time.Second, until: 20*time.Second + s.of(4000*time.Second)}
	for _, weight := range []float64{100, 1} {
		t := backlogged(4, exponential(100*time.Millisecond))
		t.weight = weight
		l.tenants = append(l.tenants, t)
	}
	return l
}

func changingWeight(s size) load {
	l := load{capacity: 4, from: 40 * time.Second, until: 40*time.Second + s.of(4000*time.Second)}
	for range 10 {
		l.tenants = append(l.tenants, backlogged(4, exponential(time.Second)))
	}
	for at := time.Duration(0); at < l.until; at += 40 * time.Second {
		l.weighed = append(l.weighed, weighing{at, 0, 0.25}, weighing{at + 20*time.Second, 0, 4})
	}
	return l
}

// alone is how long the first tenant of scenario E has no rival.
const alone = 300 * time.Second

func crewOfNine(t *tenant) { t.crews = append(t.crews, crew{workers: 9, until: alone}) }

func nineHolds(t *tenant) {
	for range 9 {
		t.arrivals = append(t.arrivals, arrival{hold: alone + 30*time.Second})
	}
}

func aloneBefore(s size, workers int, before func(*tenant)) load {
	l := load{capacity: 10, from: alone, until: alone + s.of(600*time.Second)}
	for i := range 2 {
		t := backlogged(10, exponential(time.Second))
		t.crews[0].workers, t.crews[0].from = workers, alone
		if i == 0 {
			before(&t)
		}
		l.tenants = append(l.tenants, t)
	}
	return l
}

func weighted(s size) load {
	l := load{capacity: 8, until: s.of(600 * time.Second)}
	for w := range 4 {
		t := backlogged(8, exponential(time.Second))
		t.weight = float64(w + 1)
		l.tenants = append(l.tenants, t)
	}
	return l
}

func closedLoop(s size) load {
	l := load{capacity: 4, from: 100 * time.Second, until: 100*time.Second + s.of(1200*time.Second)}
	for range 20 {
		l.tenants = append(l.tenants, backlogged(4, exponential(10*time.Millisecond)))
	}
	long := backlogged(4, constant(10*time.Second))
	long.crews[0].workers = 1
	l.tenants = append(l.tenants, long)
	return l
}

func thousand(s size) load {
	l := load{capacity: 10, until: s.of(1000 * time.Second)}
	for i := range 1000 {
		l.tenants = append(l.tenants, backlogged(10, exponential(time.Duration(10+i%100*10)*time.Millisecond)))
	}
	return l
}

func newcomers(s size) load {
	l := load{capacity: 16, from: 600 * time.Second, until: 600*time.Second + s.of(100_000*time.Second)}
	hog := backlogged(16, exponential(time.Minute))
	hog.crews[0].workers = 32
	l.tenants = append(l.tenants, hog)
	r := rand.New(rand.NewPCG(10, 0))
	for _, a := range poisson(r, 1.0/50, l.from, l.until, exponential(2*time.Second)) {
		l.tenants = append(l.tenants, tenant{weight: 1, light: true, arrivals: []arrival{a}})
	}
	return l
}

func onAndOff(s size) load {
	const phase = 5 * time.Second
	hold := exponential(100 * time.Millisecond)
	phased := tenant{weight: 1, counted: true, hold: hold}
	n := int(math.Ceil(float64(60 * s)))
	for i := range n {
		from := time.Duration(2*i) * phase
		phased.crews = append(phased.crews, crew{workers: 9, from: from, until: from + phase})
	}
	steady := backlogged(8, hold)
	steady.crews[0].workers = 40
	return load{capacity: 8, until: time.Duration(2*n) * phase, tenants: []tenant{steady, phased}}
}

func cancelStorm(s size) load {
	l := load{capacity: 8, from: 5 * time.Second, until: 5*time.Second + s.of(60*time.Second)}
	for i := range 4 {
		r := rand.New(rand.NewPCG(13, uint64(i)))
		all := poisson(r, float64(int(100)<<i), 0, l.until, exponential(50*time.Millisecond))
		for k := range all {
			if r.Float64() < 0.9 {
				all[k].patience = 1 + time.Duration(r.Int64N(int64(500*time.Millisecond)))
			}
		}
		l.tenants = append(l.tenants, tenant{weight: 1, counted: true, arrivals: all})
	}
	return l
}

func zipf(s size) load {
	const tenants, exponent, rare = 10_000, 1.1, 100
	l := load{capacity: 16, from: 5 * time.Second, until: 5*time.Second + s.of(120*time.Second)}
	r := rand.New(rand.NewPCG(14, 0))
	popularity := rand.NewZipf(r, exponent, 1, tenants-1)
	l.tenants = make([]tenant, tenants)
	for i := range l.tenants {
		l.tenants[i] = tenant{weight: 1, light: i >= rare}
	}
	for _, a := range poisson(r, 240, 0, l.until, exponential(100*time.Millisecond)) {
		t := &l.tenants[popularity.Uint64()]
		t.arrivals = append(t.arrivals, a)
	}
	return l
}

func resized(s size) load {
	l := load{capacity: 10}
	phase := s.of(60 * time.Second)
	for i, capacity := range []int{4, 12, 10, 4, 12} {
		l.resizes = append(l.resizes, resize{time.Duration(i+1) * phase, capacity})
	}
	l.until = 6 * phase
	for i, hold := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, time.Second} {
		t := backlogged(10, exponential(hold))
		t.crews[0].workers = 20 << i
		l.tenants = append(l.tenants, t)
	}
	return l
}
