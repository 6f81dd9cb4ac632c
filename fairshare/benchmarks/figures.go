package main

import (
	"math"
	"slices"
	"time"
)

// figures are what is measured of a load under a rule. NaN is a figure that the
// scenario does not have.
type figures struct {
	// jain is Jain's index of the slot-times over weight, or where tenants do
	// not all want more than they get, over what is ideal for them: 1 when all
	// are alike, 1/n when one has everything (DEC-TR-301, 1984).
	jain float64
	// lag is the greatest distance between two tenants that are there
	// throughout, in slot-seconds over weight.
	lag float64
	// worst is the least that a tenant got of its ideal slot-time, at most 1.
	worst float64
	// off is how many times more or less than its ideal a tenant got, the
	// greatest of all: 1 when each got its own.
	off float64
	// match is the part of the ideal that reached the tenant it belongs to.
	match float64
	// first is the part of all slot-time that went to the first half of the
	// tenants.
	first float64
	// mean, p50 and p99 are waits of the light tenants, in seconds.
	mean, p50, p99 float64
	// utilization is the part of the capacity that was held.
	utilization float64
	// deviation is the standard deviation over time of the slots held by a
	// tenant that is there throughout, the mean over such tenants.
	deviation float64
	// excess is the number of grants beyond the capacity in force.
	excess int
}

func (r *record) figures() figures {
	r.finish()
	f := figures{excess: r.excess, lag: r.lag, worst: 1}
	var parts []float64
	used, matched, wanted, deviations := 0.0, 0.0, 0.0, 0.0
	seconds := (r.load.until - r.load.from).Seconds()
	for i, t := range r.load.tenants {
		a, best := r.accounts[i], r.ideal.total[i]
		used += a.slotTime
		if i < len(r.load.tenants)/2 {
			f.first += a.slotTime
		}
		matched += min(a.slotTime, best)
		wanted += best
		if t.counted && best > 0 {
			parts = append(parts, a.slotTime/best)
			f.worst = min(f.worst, a.slotTime/best)
			f.off = max(f.off, a.slotTime/best, best/a.slotTime)
		}
	}
	for _, i := range r.present {
		a := r.accounts[i]
		mean := a.slotTime / seconds
		if variance := a.squares/seconds - mean*mean; variance > 1e-9 { // or it is rounding
			deviations += math.Sqrt(variance)
		}
	}
	f.first /= used
	f.utilization = used / r.offered
	f.match = matched / wanted
	f.jain = jain(parts)
	f.deviation = deviations / float64(len(r.present))
	f.mean, f.p50, f.p99 = mean(r.waits), quantile(r.waits, 0.5), quantile(r.waits, 0.99)
	if len(parts) < 2 {
		f.jain = math.NaN()
	}
	if len(parts) == 0 {
		f.worst = math.NaN()
	}
	if len(r.present) < 2 || len(r.load.weighed) > 0 {
		f.lag = math.NaN()
	}
	return f
}

func jain(xs []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, x := range xs {
		sum += x
		squares += x * x
	}
	return sum * sum / (float64(len(xs)) * squares)
}

func mean(waits []time.Duration) float64 {
	var sum time.Duration
	for _, w := range waits {
		sum += w
	}
	return sum.Seconds() / float64(len(waits))
}

func quantile(waits []time.Duration, q float64) float64 {
	if len(waits) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(waits))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Seconds()
}
