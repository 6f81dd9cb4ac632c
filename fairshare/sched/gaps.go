package sched

// gaps are the distances between successive events of one kind. They are
// forgotten in two steps, so that between one and two windows of the latest
// count, and what is older does not count at all.
type gaps struct {
	latest, before tally
}

type tally struct {
	n            int32
	sum, squares float32
}

// observe counts a gap that has ended.
func (g *gaps) observe(gap float64, window int32) {
	if g.latest.n >= window {
		g.before, g.latest = g.latest, tally{}
	}
	g.latest.n++
	g.latest.sum += float32(gap)
	g.latest.squares += float32(gap * gap)
}

func (g *gaps) count() int { return int(g.latest.n + g.before.n) }

func (g *gaps) sum() float64 { return float64(g.latest.sum) + float64(g.before.sum) }

// mean is the mean of the gaps.
func (g *gaps) mean() float64 { return g.sum() / float64(g.count()) }

// next is how far the next event is expected to be when the last was age ago. A
// gap is met in proportion to its length, and half of it is left, so this is half
// of the squares over the sum (the mean residual life of a renewal process; Cox,
// Renewal Theory, 1962). The gap that is met now counts as if it were half over.
func (g *gaps) next(age float64) float64 {
	sum := g.sum() + 2*age
	if sum <= 0 {
		return 0
	}
	return (float64(g.latest.squares) + float64(g.before.squares) + 4*age*age) / (2 * sum)
}
