package sched

import "time"

// Instant as a horizon orders tenants by held/weight alone, with no memory.
const Instant time.Duration = 1<<63 - 1

// A horizon is R: how far ahead the cost of what is held now is counted. One
// for the whole pool; a horizon for each tenant starves tenants with short
// holds. It follows the mean holding time, but not every single long hold: shares
// are to be steady. Where long holds are rare it is below the mean, which is kept
// beside it for what depends on the mean itself.
type horizon struct {
	fixed time.Duration // 0: follow the mean holding time
	near  float64       // nanoseconds
	mean  float64       // nanoseconds
	seen  int           // releases, up to meanWindow
}

// window is how many releases R reaches back, and meanWindow how many the mean
// does: enough for one long hold in a hundred to be among them ten times.
const (
	window     = 64
	meanWindow = 1024
)

// observe learns from one release. A single hold, however long, can at most
// double R.
func (h *horizon) observe(hold time.Duration) {
	if h.seen < meanWindow {
		h.seen++
	}
	h.mean += (float64(hold) - h.mean) / float64(h.seen)
	step := (float64(hold) - h.near) / float64(min(h.seen, window))
	if h.seen > 1 {
		step = min(step, h.near)
	}
	h.near += step
}

func (h *horizon) value() time.Duration {
	if h.fixed != 0 {
		return h.fixed
	}
	return time.Duration(h.near)
}

// meanHold is the mean holding time, or the fixed horizon in its place.
func (h *horizon) meanHold() time.Duration {
	if h.fixed != 0 {
		return h.fixed
	}
	return time.Duration(h.mean)
}
