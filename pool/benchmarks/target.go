package main

import "fmt"

// A target is what an outcome has to reach. The zero target is none: the row
// is there to be known.
type target struct {
	text string
	met  func(outcome) bool
}

// noAllocs is how many allocations an operation may show: the runtime itself
// makes a few now and then.
const noAllocs = 0.005

func ratioAtMost(most float64) target {
	return target{fmt.Sprintf("<= %.1f x", most), func(o outcome) bool { return o.ratio.median <= most }}
}

func ratioBelow(limit float64) target {
	return target{fmt.Sprintf("< %g x", limit), func(o outcome) bool { return o.ratio.median < limit }}
}

func eachAtMost(most float64, unit string) target {
	return target{fmt.Sprintf("<= %g %s", most, unit), func(o outcome) bool { return o.oursEach.median <= most }}
}

func (t target) andNoAllocs() target {
	return target{t.text + ", 0 allocs", func(o outcome) bool { return t.met(o) && o.oursAllocs.median < noAllocs }}
}

// verdict says whether o reached its target.
func (o outcome) verdict() string {
	switch {
	case o.target.met == nil:
		return ""
	case o.target.met(o):
		return "yes"
	}
	return "**no**"
}
