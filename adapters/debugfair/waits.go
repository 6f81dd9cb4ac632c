package debugfair

import (
	"context"
	"math"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/pool"
)

// Waits counts how long Acquires waited, also those in vain. The zero Waits is
// ready for use; it must not be copied. To count is one atomic addition; a pool
// has it count those Acquires only that are not served at once.
type Waits struct {
	counts [buckets]atomic.Uint64
}

// Trace returns a trace that counts the waits of a pool and calls next. It is to
// be the Trace of the pool's Config.
func (w *Waits) Trace(next pool.Trace) pool.Trace {
	return pool.Traces(next, pool.Trace{WaitDone: func(_ context.Context, e pool.Event) {
		// One that was turned away did not wait, and is not to make the others
		// look quick.
		if e.Err == nil || e.Took > 0 {
			w.Observe(e.Took)
		}
	}})
}

// Observe counts one wait. It is for what has no Trace, such as a semaphore.
func (w *Waits) Observe(d time.Duration) { w.counts[bucketOf(d)].Add(1) }

// Buckets are eight to an octave of microseconds: the middle of one is at most
// 7% off.
const (
	perOctave = 8
	buckets   = 38 * perOctave // up to 25 days
)

func bucketOf(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	octave := max(bits.Len64(us)-4, 0) // of which the first has twice as many
	return min(octave*perOctave+int(us>>octave), buckets-1)
}

// middle is the wait that a bucket stands for, in milliseconds.
func middle(bucket int) float64 {
	octave := max(bucket/perOctave-1, 0)
	from := float64(bucket-octave*perOctave) * math.Exp2(float64(octave))
	return (from + (math.Exp2(float64(octave))-1)/2) / 1000
}

// counted is the waits up to a moment.
type counted [buckets]uint64

func (w *Waits) read() (c counted) {
	for i := range c {
		c[i] = w.counts[i].Load()
	}
	return c
}

// percentiles returns those of the waits after before, of the parts ps in
// ascending order, in milliseconds; nothing if there were none.
func (c *counted) percentiles(before *counted, ps ...float64) []number {
	var total uint64
	for i := range c {
		total += c[i] - before[i]
	}
	found := make([]number, len(ps))
	for k, p := range ps {
		found[k] = nothing
		rank := uint64(math.Ceil(p * float64(total)))
		var seen uint64
		for i := 0; total > 0 && i < buckets; i++ {
			if seen += c[i] - before[i]; seen >= max(rank, 1) {
				found[k] = number(middle(i))
				break
			}
		}
	}
	return found
}
