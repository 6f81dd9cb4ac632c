package sched

import (
	"cmp"
	"slices"
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
	wants := int(t.held + t.waiting)
	return Claim{t.share.Weight, float64(min(wants, s.cap(t)))}, wants > 0
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
