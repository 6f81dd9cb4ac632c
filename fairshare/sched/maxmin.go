package sched

import (
	"cmp"
	"slices"
	"time"
)

// A Claim is what a tenant could use, and its weight.
type Claim struct {
	Weight float64
	Demand float64
}

// MaxMin divides capacity by weighted max-min fairness: nobody gets more than
// its demand, and what one leaves over is divided among the rest by weight
// (progressive filling; Bertsekas and Gallager, Data Networks, section 6.5).
func MaxMin(capacity float64, claims []Claim) []float64 {
	order := make([]int, len(claims))
	for i := range claims {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Compare(claims[i].Demand/claims[i].Weight, claims[j].Demand/claims[j].Weight)
	})
	// Summed up from the end: a difference may lose a weight to rounding.
	weights, rest := make([]float64, len(claims)), 0.0
	for at, i := range slices.Backward(order) {
		rest += claims[i].Weight
		weights[at] = rest
	}
	parts := make([]float64, len(claims))
	for at, i := range order {
		c := claims[i]
		parts[i] = min(c.Demand, capacity*c.Weight/weights[at], capacity)
		capacity -= parts[i]
	}
	return parts
}

// Claim is what t holds and waits for, within its cap, and whether it is
// anything.
func (s *Scheduler) Claim(t *Tenant) (Claim, bool) {
	wants := int(t.held) + s.Wants(t)
	return Claim{t.share.Weight, float64(min(wants, s.cap(t)))}, wants > 0
}

// Min is how many slots t is promised.
func (s *Scheduler) Min(t *Tenant) int { return t.share.Min }

// Standing is the service of t as it counts among tenants that wait: an absence
// earned it no more than the burst credit.
func (s *Scheduler) Standing(now time.Duration, t *Tenant) float64 {
	s.advance(now)
	s.raise()
	return s.lift(s.service(t), t)
}

// Lead is by how much o is ahead of t, in nanoseconds of slot-time over weight.
func (s *Scheduler) Lead(now time.Duration, o, t *Tenant) float64 {
	return s.Standing(now, o) - s.Standing(now, t)
}

// Entitled is the number of slots that each active tenant would hold now if the
// capacity were divided by weighted max-min fairness among what they hold and
// wait for, within their caps.
func (s *Scheduler) Entitled() map[*Tenant]float64 {
	var tenants []*Tenant
	var claims []Claim
	for _, t := range s.tenants {
		if claim, ok := s.Claim(t); ok {
			tenants = append(tenants, t)
			claims = append(claims, claim)
		}
	}
	parts := MaxMin(float64(s.capacity), claims)
	entitled := make(map[*Tenant]float64, len(tenants))
	for i, t := range tenants {
		entitled[t] = parts[i]
	}
	return entitled
}
