package main

import "testing"

// The cases of the table; with -short, those of the command's -short. One
// iteration is one round; the figures are medians of the rounds, for each
// operation, without what prepares a round.
func BenchmarkCost(b *testing.B) {
	size := full
	if testing.Short() {
		size = short
	}
	for _, c := range size.comparisons() {
		for _, s := range []side{c.base, c.ours} {
			if s.open != nil {
				b.Run(c.name+"/"+s.name, func(b *testing.B) { c.benchmark(b, s) })
			}
		}
	}
}

func (c comparison) benchmark(b *testing.B, s side) {
	l, err := s.prepare()
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	var each, allocs []float64
	for b.Loop() {
		round, err := l.Round()
		if err != nil {
			b.Fatal(err)
		}
		each, allocs = append(each, round.each), append(allocs, round.allocs)
	}
	if c.unit == "B" {
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(spreadOf(each).median, "bytes/each")
		return
	}
	b.ReportMetric(spreadOf(each).median, "ns/op")
	b.ReportMetric(spreadOf(allocs).median, "allocs/each")
}
