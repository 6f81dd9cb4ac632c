package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func resultOf(t trial, samples map[string][]sample) result { return result{t, samples} }

func TestCrowdsShowWhoWasNeverServed(t *testing.T) {
	var b strings.Builder
	showSides(&b, []result{resultOf(trial{
		title: "it", unit: "ns", crowd: true, ours: []string{"ours"},
		sides: []side{{name: "base", lends: "permits"}, {name: "ours", lends: "resources"}},
	}, map[string][]sample{"base": {{each: 10, unserved: 0.25}}, "ours": {{each: 20, allocs: 1}}})})
	require.Equal(t, `
## it

| lender | lends | each (quartiles) | allocs | never served | ours / it |
| --- | --- | ---: | ---: | ---: | ---: |
| base | permits | 10 ns (10-10) | 0 | 25% | 2.00 (2.00-2.00) |
| ours | resources | 20 ns (20-20) | 1.00 | 0% |  |
`, b.String())
}

func TestNothingIsNoBaseForARatio(t *testing.T) {
	var b strings.Builder
	showSides(&b, []result{resultOf(trial{
		title: "it", unit: "B", ours: []string{"ours"}, sides: []side{{name: "base"}, {name: "ours"}},
	}, map[string][]sample{"base": {{each: -0.1}}, "ours": {{each: 200}}})})
	require.Contains(t, b.String(), "| base | 0 B (0-0) |  |\n")
}

func TestOptionsShowWhatTheyAddInBothManners(t *testing.T) {
	of := func(m manner, name string, without, with sample) result {
		return resultOf(trial{name: "options/" + m.name + "/" + name, title: name, unit: "ns"},
			map[string][]sample{plain: {without}, name: {with}})
	}
	var b strings.Builder
	showOptions(&b, []result{
		of(manner{name: "manner"}, "Do", sample{each: 100}, sample{each: 500, allocs: 5}),
		of(acquiring, "A", sample{each: 100}, sample{each: 130}),
		of(doing, "A", sample{each: 500, allocs: 5}, sample{each: 499.8, allocs: 7}),
	})
	require.Contains(t, b.String(), `| Do | 100 ns | +400 ns (+400 to +400) | +5.00 |  |  |  |
| A | 100 ns | +30 ns (+30 to +30) | 0 | 500 ns | 0 ns (0 to 0) | +2.00 |
`)
}

func TestLatenciesOfAllRoundsAreShownTogether(t *testing.T) {
	round := func(value, times int64) sample {
		h := newHistogram()
		for range times {
			if err := h.RecordValue(value); err != nil {
				t.Fatal(err)
			}
		}
		return sample{latencies: h}
	}
	var b strings.Builder
	showLatencies(&b, []result{resultOf(trial{
		title: "it", unit: "ns", ours: []string{"ours"},
		sides: []side{{name: "base", lends: "permits"}, {name: "ours", lends: "permits"}},
	}, map[string][]sample{
		"base": {round(100, 980), round(1000, 20)},
		"ours": {round(200, 990), round(500, 10)},
	})})
	require.Contains(t, b.String(), "| base | permits | 1,000 | 100 ns | 1000 ns | 1000 ns | 1000 ns | 1.25 (0.88-1.62) |")
	require.Contains(t, b.String(), "| ours | permits | 1,000 | 200 ns | 200 ns | 500 ns | 500 ns |  |")
}
