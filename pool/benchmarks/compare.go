package main

import "fmt"

// A comparison is one row of the table: the cost of something, beside that of
// something else.
type comparison struct {
	name   string // as a benchmark
	title  string
	unit   string
	base   side // the zero side: compared with nothing
	ours   side
	target target
	most   int // rounds, because they are long or hardly differ; 0: any number
}

// A side is what is measured.
type side struct {
	name string
	open func() (load, error)
}

// An outcome is what the rounds of a comparison gave.
type outcome struct {
	comparison
	baseEach, oursEach     spread
	baseAllocs, oursAllocs spread
	ratio                  spread // of ours to base in each round
}

// run measures both sides in turn, so that whatever else the machine does
// meanwhile happens to both. A round each beforehand does not count.
func (c comparison) run(rounds int) (o outcome, err error) {
	ours, err := c.ours.prepare()
	if err != nil {
		return o, err
	}
	defer ours.Close()
	var base load
	if c.base.open != nil {
		if base, err = c.base.prepare(); err != nil {
			return o, err
		}
		defer base.Close()
	}
	var baseEach, oursEach, baseAllocs, oursAllocs, ratio []float64
	if c.most > 0 {
		rounds = min(rounds, c.most)
	}
	for range rounds {
		var b sample
		if base != nil {
			if b, err = base.Round(); err != nil {
				return o, fmt.Errorf("%s: %s: %w", c.title, c.base.name, err)
			}
			baseEach = append(baseEach, b.each)
			baseAllocs = append(baseAllocs, b.allocs)
		}
		s, err := ours.Round()
		if err != nil {
			return o, fmt.Errorf("%s: %s: %w", c.title, c.ours.name, err)
		}
		oursEach = append(oursEach, s.each)
		oursAllocs = append(oursAllocs, s.allocs)
		if base != nil {
			ratio = append(ratio, s.each/b.each)
		}
	}
	o = outcome{comparison: c, oursEach: spreadOf(oursEach), oursAllocs: spreadOf(oursAllocs)}
	if base != nil {
		o.baseEach, o.baseAllocs, o.ratio = spreadOf(baseEach), spreadOf(baseAllocs), spreadOf(ratio)
	}
	return o, nil
}

// prepare opens the side's load and brings it to its steady state.
func (s side) prepare() (load, error) {
	l, err := s.open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	if _, err := l.Round(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return l, nil
}
