package main

import "fmt"

// A trial measures the same work on several sides.
type trial struct {
	name  string // as a benchmark
	title string
	unit  string
	sides []side
	ours  []string // sides that the others are compared with
	rows  []row    // what of it the main table shows
	crowd bool     // more goroutines than slots
	most  int      // rounds, because they are long or hardly differ; 0: any number
}

// A side is what is measured.
type side struct {
	name  string
	lends string
	open  func() (load, error)
}

// A result is what the rounds of a trial gave.
type result struct {
	trial
	samples map[string][]sample // of each side, by round
}

// run measures all sides in turn, so that whatever else the machine does
// meanwhile happens to all. A round each beforehand does not count.
func (t trial) run(rounds int) (result, error) {
	r := result{t, make(map[string][]sample)}
	var loads []load
	defer func() {
		for _, l := range loads {
			l.Close()
		}
	}()
	for _, s := range t.sides {
		l, err := s.prepare()
		if err != nil {
			return r, fmt.Errorf("%s: %w", t.title, err)
		}
		loads = append(loads, l)
	}
	if t.most > 0 {
		rounds = min(rounds, t.most)
	}
	for range rounds {
		for i, s := range t.sides {
			measured, err := loads[i].Round()
			if err != nil {
				return r, fmt.Errorf("%s: %s: %w", t.title, s.name, err)
			}
			r.samples[s.name] = append(r.samples[s.name], measured)
		}
	}
	return r, nil
}

// prepare opens the side's load and brings it to its steady state.
func (s side) prepare() (load, error) {
	l, err := s.open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	if _, err := l.Round(); err != nil {
		l.Close()
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return l, nil
}

// A value is what is asked of a sample.
type value func(sample) float64

func each(s sample) float64   { return s.each }
func allocs(s sample) float64 { return s.allocs }

func unserved(s sample) float64 { return s.unserved }

// spread is that of a side's value over the rounds.
func (r result) spread(side string, v value) spread {
	values := make([]float64, 0, len(r.samples[side]))
	for _, s := range r.samples[side] {
		values = append(values, v(s))
	}
	return spreadOf(values)
}

// ratio is the spread of one side's value over another's in the same round.
func (r result) ratio(over, under string, v value) spread {
	return r.pairs(over, under, func(a, b sample) float64 { return v(a) / v(b) })
}

// beyond is the spread of how much one side's value exceeds another's in the
// same round.
func (r result) beyond(more, less string, v value) spread {
	return r.pairs(more, less, func(a, b sample) float64 { return v(a) - v(b) })
}

func (r result) pairs(a, b string, f func(a, b sample) float64) spread {
	values := make([]float64, 0, len(r.samples[a]))
	for i, s := range r.samples[a] {
		values = append(values, f(s, r.samples[b][i]))
	}
	return spreadOf(values)
}
