package adversary

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// A knob is one thing that a strategy decides.
type knob int

const (
	long      knob = iota // holding time
	short                 // another
	mix                   // how often it is the long one
	threshold             // long only while the horizon is below this
	grab                  // so many grants after each return are long
	tail                  // and those in this last part of a stay
	waiters               // requests that it keeps waiting
	pace                  // pause between a release and the next request, instead
	on                    // how long it stays
	away                  // and how long it stays away in between
	again                 // how often it cancels everything and asks again
	spin                  // how often it tries for a slot, rather than waits
	period                // between two changes of plan or capacity
	lead                  // it comes so long before each second change
	weightA               // before the change
	weightB               // after it
	capacity              // part of the capacity that is left by the change
	least                 // its Min
	most                  // its Max
	names                 // in flight, each new
	ignore                // how long it keeps a lease that was revoked
	spoil                 // how often it breaks what it used
	admit                 // how often it says so
	accuse                // how often it calls a sound resource broken
	knobs
)

// dials are what a knob can be set to: from least to most, evenly over the
// logarithm. A part of the unit interval stands for 0, not at all.
var dials = [knobs]struct {
	name        string
	least, most float64
	none        float64
	unit        float64 // 0: a plain number
}{
	long:      {"long", 1e-3, 5, 0, 1},
	short:     {"short", 5e-4, 0.5, 0, 1},
	mix:       {"mix", 0.01, 1, 0.1, 0},
	threshold: {"threshold", 1e-3, 2, 0.7, 1},
	grab:      {"grab", 1, 20, 0.6, 0},
	tail:      {"tail", 0.01, 1, 0.7, 0},
	waiters:   {"waiters", 1, 12, 0, 0},
	pace:      {"pace", 1e-6, 1, 0.6, 1},
	on:        {"on", 1e-3, 20, 0, 1},
	away:      {"away", 1e-3, 20, 0.5, 1},
	again:     {"again", 1e-3, 5, 0.7, 1},
	spin:      {"spin", 5e-3, 1, 0.3, 1},
	period:    {"period", 1e-2, 200, 0, 1},
	lead:      {"lead", 1e-4, 1, 0.5, 1},
	weightA:   {"weightA", 1e-3, 1, 0, 0},
	weightB:   {"weightB", 0.3, 30, 0, 0},
	capacity:  {"capacity", 0.1, 1, 0, 0},
	least:     {"min", 1, 4, 0.3, 0},
	most:      {"max", 1, 4, 0.3, 0},
	names:     {"names", 1, 24, 0, 0},
	ignore:    {"ignore", 1e-3, 10, 0.5, 1},
	spoil:     {"spoil", 0.05, 1, 0, 0},
	admit:     {"admit", 0.05, 1, 0.4, 0},
	accuse:    {"accuse", 0.05, 1, 0.4, 0},
}

// honest is how the knobs that a family does not turn are set.
var honest = settings{long: 0.1, waiters: 5, mix: 1, names: 1}

// settings are what all knobs are set to.
type settings [knobs]float64

func (s settings) time(k knob) time.Duration { return time.Duration(s[k] * float64(time.Second)) }

func (s settings) count(k knob) int { return int(math.Round(s[k])) }

// A strategy is a position of each knob, from 0 to 1.
type strategy [knobs]float64

func (s strategy) set(turned []knob) settings {
	out := honest
	for _, k := range turned {
		d, u := dials[k], s[k]
		if u < d.none {
			out[k] = 0
			continue
		}
		out[k] = d.least * math.Pow(d.most/d.least, (u-d.none)/(1-d.none))
	}
	return out
}

func (s strategy) describe(turned []knob) string {
	var b strings.Builder
	at := s.set(turned)
	for _, k := range turned {
		if at[k] == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		if dials[k].unit > 0 {
			fmt.Fprintf(&b, "%s %v", dials[k].name, roundTime(at.time(k)))
		} else {
			fmt.Fprintf(&b, "%s %.2g", dials[k].name, at[k])
		}
	}
	return b.String()
}

// roundTime leaves two or three digits.
func roundTime(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit*1000 <= d {
		unit *= 10
	}
	return d.Round(unit)
}

// A candidate is a coalition in a place.
type candidate struct {
	place   int
	members []strategy
}

func randomCandidate(r *rand.Rand, places, members int) candidate {
	c := candidate{place: r.IntN(places), members: make([]strategy, members)}
	for i := range c.members {
		for k := range c.members[i] {
			c.members[i][k] = r.Float64()
		}
	}
	return c
}

// mutate changes a knob or two of one member, by little or by much; sometimes
// the place, or it has one member do as another.
func (c candidate) mutate(r *rand.Rand, places int, turned []knob) candidate {
	c.members = append([]strategy(nil), c.members...)
	m := &c.members[r.IntN(len(c.members))]
	switch r.IntN(8) {
	case 0:
		c.place = r.IntN(places)
	case 1:
		*m = c.members[r.IntN(len(c.members))]
	}
	for range 1 + r.IntN(2) {
		k := turned[r.IntN(len(turned))]
		if r.IntN(3) == 0 {
			m[k] = r.Float64()
		} else {
			m[k] = min(1, max(0, m[k]+0.1*r.NormFloat64()))
		}
	}
	return c
}
