package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// A load is what the tenants of a scenario ask for. It is the same under every
// rule: all that is random is drawn from sources of the tenants' own, so that
// the k-th request of a tenant holds its slot for the same time whoever else
// was served before.
type load struct {
	capacity int
	resizes  []resize
	weighed  []weighing
	tenants  []tenant
	names    int           // that fresh tenants may use up
	from     time.Duration // figures count from here
	until    time.Duration // to here, where the run ends

	firstOnly bool // of the waits of a light tenant only the first counts
}

// A resize sets the capacity.
type resize struct {
	at       time.Duration
	capacity int
}

// A weighing changes the weight of a tenant.
type weighing struct {
	at     time.Duration
	tenant int
	weight float64
}

// A tenant asks by arrivals, which come whatever happens, and by crews, which
// ask again as soon as they are served.
type tenant struct {
	weight   float64
	light    bool // its waits are the ones to look at
	counted  bool // its slot-time is what the scenario is about
	fresh    bool // each of its requests is under a name that nobody has used before
	arrivals []arrival
	crews    []crew
	hold     distribution // of crews
	seed     uint64
}

// An arrival is one request of an open tenant.
type arrival struct {
	at       time.Duration
	hold     time.Duration
	patience time.Duration // gives up after waiting so long; 0: never
}

// A crew is a number of workers that each keep one request going from a time
// until another: ask, hold, release, think, ask again. Those that wait at the
// end give up.
type crew struct {
	workers     int
	from, until time.Duration
	think       time.Duration // from giving back to asking; negative: asks so much before
	stagger     time.Duration // between the starts of two workers
}

// always is an end that does not come.
const always time.Duration = math.MaxInt64

// A distribution is one of holding times.
type distribution func(*rand.Rand) time.Duration

func constant(d time.Duration) distribution { return func(*rand.Rand) time.Duration { return d } }

func exponential(mean time.Duration) distribution {
	return func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * float64(mean)) }
}

// pareto has a tail so heavy that for shape <= 2 its variance is infinite.
func pareto(shape float64, mean time.Duration) distribution {
	least := float64(mean) * (shape - 1) / shape
	return func(r *rand.Rand) time.Duration {
		return time.Duration(least * math.Pow(1-r.Float64(), -1/shape))
	}
}

// backlogged is a tenant that always waits, whatever it holds.
func backlogged(capacity int, hold distribution) tenant {
	return tenant{weight: 1, counted: true, hold: hold, crews: []crew{{workers: capacity + 1, until: always}}}
}

// poisson is arrivals at the given rate per second.
func poisson(r *rand.Rand, rate float64, from, until time.Duration, hold distribution) (all []arrival) {
	gap := exponential(time.Duration(float64(time.Second) / rate))
	for at := from + gap(r); at < until; at += gap(r) {
		all = append(all, arrival{at: at, hold: hold(r)})
	}
	return all
}

// seeded gives every tenant a source of its own.
func (l load) seeded(seed uint64) load {
	for i := range l.tenants {
		l.tenants[i].seed = seed<<32 + uint64(i)
	}
	return l
}

// alone is the load of the light tenants, with the pool to themselves.
func (l load) alone() (load, bool) {
	all := l.tenants
	l.tenants = nil
	for _, t := range all {
		if t.light {
			l.tenants = append(l.tenants, t)
		}
	}
	return l, len(l.tenants) > 0
}

// present reports whether the tenant has a crew throughout the measurement.
func (t tenant) present(l load) bool {
	for _, c := range t.crews {
		if c.from <= l.from && c.until >= l.until {
			return true
		}
	}
	return false
}
