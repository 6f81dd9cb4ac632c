package fairshare

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Durations counts durations by their length: at i those of less than
// DurationBound(i), and not less than the bound before.
type Durations [32]uint64

// DurationBound is a microsecond for 0, and twice the one before for each other;
// the last has none, which is math.MaxInt64.
func DurationBound(i int) time.Duration {
	if i >= len(Durations{})-1 {
		return math.MaxInt64
	}
	return time.Microsecond << i
}

func (d *Durations) add(length time.Duration) {
	d[min(bits.Len64(uint64(length/time.Microsecond)), len(d)-1)]++
}

// Total is the number of all.
func (d Durations) Total() (total uint64) {
	for _, n := range d {
		total += n
	}
	return total
}

// Since returns what has been counted after earlier, which is d as it was
// before.
func (d Durations) Since(earlier Durations) Durations {
	for i := range d {
		d[i] -= earlier[i]
	}
	return d
}

// Quantile returns a bound that a part q of the durations, between 0 and 1, keeps
// to; 0 if there are none. It is too long by half of itself at most.
func (d Durations) Quantile(q float64) time.Duration {
	rest := uint64(math.Ceil(q * float64(d.Total())))
	for i, n := range d {
		if n > 0 && n >= rest {
			return DurationBound(i)
		}
		rest -= min(n, rest)
	}
	return 0
}

// String returns the number of durations, and bounds that half of them, 99% and all
// keep to.
func (d Durations) String() string {
	total := d.Total()
	if total == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, half of them < %v, 99%% < %v, all < %v",
		total, round(d.Quantile(0.5)), round(d.Quantile(0.99)), round(d.Quantile(1)))
}

// round keeps three digits.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
