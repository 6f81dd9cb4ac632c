package sched

import "time"

// Instant as a horizon orders tenants by held/weight alone, with no memory.
const Instant time.Duration = 1<<63 - 1

// A horizon is R: how far ahead the cost of what is held now is counted. One
// for the whole pool; a horizon for each tenant starves tenants with short
// holds.
type horizon struct {
	fixed time.Duration // 0: the mean holding time
	mean  float64       // nanoseconds
	seen  int           // releases, up to window
}

// window is how many releases the moving average reaches back.
const window = 64

// observe learns from one release. A single hold, however long, can at most
// double the mean.
func (h *horizon) observe(hold time.Duration) {
	if h.seen < window {
		h.seen++
	}
	step := (float64(hold) - h.mean) / float64(h.seen)
	if h.seen > 1 {
		step = min(step, h.mean)
	}
	h.mean += step
}

func (h *horizon) value() time.Duration {
	if h.fixed != 0 {
		return h.fixed
	}
	return time.Duration(h.mean)
}
