package fairshare

import (
	"math"
	"math/bits"
	"time"
)

// Waits counts by their length the waits that ended with a slot: at i those
// that took less than WaitBound(i), and not less than the bound before.
type Waits [32]uint64

// WaitBound is a microsecond for 0, and twice that of the one before for each
// other; the last has none, which is math.MaxInt64.
func WaitBound(i int) time.Duration {
	if i >= len(Waits{})-1 {
		return math.MaxInt64
	}
	return time.Microsecond << i
}

func (w *Waits) add(wait time.Duration) {
	w[min(bits.Len64(uint64(wait/time.Microsecond)), len(w)-1)]++
}

// Since returns the waits that have been counted after earlier, which is w as it
// was before.
func (w Waits) Since(earlier Waits) Waits {
	for i := range w {
		w[i] -= earlier[i]
	}
	return w
}

// Quantile returns a time that a part q of the waits, between 0 and 1, did not
// exceed; 0 if there were none. It is too long by less than half of itself.
func (w Waits) Quantile(q float64) time.Duration {
	total := uint64(0)
	for _, n := range w {
		total += n
	}
	rest := uint64(math.Ceil(q * float64(total)))
	for i, n := range w {
		if n > 0 && n >= rest {
			return WaitBound(i)
		}
		rest -= min(n, rest)
	}
	return 0
}
