package fleet

import (
	"maps"
	"math"
	"slices"
	"time"
)

// A plan is how the capacity is divided among tenants, made afresh once every
// Refresh from what all processes have claimed.
//
// If it does not suffice for all, a tenant of weight w that claims d slots in
// all processes together is due min(d, level*w), where the level is such that
// the sum is the capacity: water filling, or weighted max-min fairness. Of that,
// a process gets a part in proportion to its part of the claim, its quota.
//
// A process is due the sum of its tenants' quotas, which is no whole number.
// Rounding has to keep the sum, and over time the fraction. Lay the processes
// end to end on a line, each as long as its quotas, and put a mark at every
// whole number: each process gets as many slots as there are marks on it. The
// phase of a process is the fraction at which it begins. The line as a whole
// begins at offset, which rotates by the golden ratio, so that every process
// has a mark for the right part of the time.
type plan struct {
	made     time.Duration // negative: never
	scarce   bool
	level    float64
	limited  map[string]want // the tenants that are due less than they claim
	headroom int             // if not scarce: beyond what it claims, for each process
	offset   float64
	rotated  time.Duration
}

// golden is 1/phi: multiples of it, modulo 1, are spread most evenly.
const golden = 0.6180339887498949

// replan makes a plan if one is due.
func (s *State) replan() {
	p := &s.plan
	if p.made >= 0 && s.clock < p.made+s.terms.Refresh {
		return
	}
	p.made = s.clock
	p.fill(s.terms.Capacity, s.processes)
	if !p.scarce {
		return
	}
	pause := s.terms.TTL
	if s.terms.Capacity < len(s.processes) {
		pause = 3 * s.terms.Refresh
	}
	if s.clock >= p.rotated+pause {
		p.rotated = s.clock
		p.offset = fraction(p.offset + golden)
	}
	at := p.offset
	for _, process := range slices.SortedFunc(maps.Values(s.processes), func(a, b *process) int {
		return Order{a.name, a.token}.compare(Order{b.name, b.token})
	}) {
		process.phase = at
		at = fraction(at + p.due(process, nil, new(float64)))
	}
}

// blur is how far below a whole number a sum of quotas counts as one.
const blur = 1e-9

func fraction(x float64) float64 { return x - math.Floor(x+blur) }

// want is what a tenant claims in the whole fleet.
type want struct {
	slots  int
	weight int64
}

func (p *plan) satisfies(w want) bool { return float64(w.slots) <= p.level*float64(w.weight) }

// fill finds the level.
func (p *plan) fill(capacity int, processes map[string]*process) {
	named := make(map[string]want)
	var open []want // not known to be satisfied
	total := 0
	for _, process := range processes {
		for _, c := range process.claims {
			w := named[c.Tenant]
			named[c.Tenant] = want{w.slots + c.Slots, max(w.weight, c.Weight)}
			total += c.Slots
		}
		if r := process.rest; r.Slots > 0 { // other tenants in each process
			open = append(open, want{r.Slots, r.Weight})
			total += r.Slots
		}
	}
	*p = plan{made: p.made, offset: p.offset, rotated: p.rotated, scarce: total > capacity}
	if !p.scarce {
		p.headroom = (capacity - total) / (2 * max(1, len(processes)))
		return
	}
	open = slices.AppendSeq(open, maps.Values(named))
	for more := true; more && len(open) > 0; {
		// What the satisfied leave is for the others. That may satisfy more.
		left, weight := capacity-total, int64(0)
		for _, w := range open {
			left += w.slots
			weight += w.weight
		}
		p.level = float64(left) / float64(weight)
		before := len(open)
		open = slices.DeleteFunc(open, p.satisfies)
		more = len(open) < before
	}
	maps.DeleteFunc(named, func(_ string, w want) bool { return p.satisfies(w) })
	p.limited = named
}

// quota is what a claim is due in its process. Since the plan was made, the
// process may have claimed more.
func (p *plan) quota(c Claim, w want) float64 {
	w = want{max(w.slots, c.Slots), max(w.weight, c.Weight)}
	if p.satisfies(w) {
		return float64(c.Slots)
	}
	return float64(c.Slots) * p.level * float64(w.weight) / float64(w.slots)
}

// due is the sum of the quotas of a process, which it writes to quotas, unless
// that is nil, and to rest.
func (p *plan) due(process *process, quotas []float64, rest *float64) (sum float64) {
	for i, c := range process.claims {
		q := p.quota(c, p.limited[c.Tenant])
		if quotas != nil {
			quotas[i] = q
		}
		sum += q
	}
	if r := process.rest; r.Slots > 0 {
		*rest = p.quota(r, want{})
		sum += *rest
	}
	return sum
}

// target is how many slots a process should have.
func (p *plan) target(process *process, reply *Reply) int {
	reply.Scarce = p.scarce
	if !p.scarce {
		return process.claimed() + p.headroom
	}
	sum := p.due(process, reply.Quotas, &reply.Rest)
	return min(process.claimed(), int(math.Floor(sum+process.phase+blur)))
}

func (p *process) claimed() int {
	sum := p.rest.Slots
	for _, c := range p.claims {
		sum += c.Slots
	}
	return sum
}
