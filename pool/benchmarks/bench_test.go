package main

import "testing"

// The trials of the command's -short. One iteration is one round; the figures
// are medians of the rounds, for each operation, without what prepares a round.
func BenchmarkCost(b *testing.B) {
	for _, p := range short.pages() {
		for _, t := range p.trials {
			for _, s := range t.sides {
				b.Run(t.name+"/"+s.name, func(b *testing.B) { t.benchmark(b, s) })
			}
		}
	}
}

func (t trial) benchmark(b *testing.B, s side) {
	l, err := s.prepare()
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	r := result{t, map[string][]sample{}}
	for b.Loop() {
		round, err := l.Round()
		if err != nil {
			b.Fatal(err)
		}
		r.samples[s.name] = append(r.samples[s.name], round)
	}
	if t.unit == "B" {
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(r.spread(s.name, each).median, "bytes/each")
		return
	}
	b.ReportMetric(r.spread(s.name, each).median, "ns/op")
	b.ReportMetric(r.spread(s.name, allocs).median, "allocs/each")
}
