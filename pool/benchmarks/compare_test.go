package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpreadIsMedianAndQuartiles(t *testing.T) {
	require.Equal(t, spread{2, 3, 4}, spreadOf([]float64{5, 1, 4, 2, 3}))
	require.Equal(t, spread{1.75, 2.5, 3.25}, spreadOf([]float64{4, 3, 2, 1}))
	require.Equal(t, spread{7, 7, 7}, spreadOf([]float64{7}))
}

// A script is a load whose samples are known.
type script struct {
	name string
	each []float64
	log  *[]string
}

func (s *script) Round() (sample, error) {
	*s.log = append(*s.log, s.name)
	each := s.each[0]
	s.each = s.each[1:]
	return sample{each: each, ops: 1}, nil
}

func (s *script) Close() { *s.log = append(*s.log, "close "+s.name) }

func scripted(log *[]string, name string, each ...float64) side {
	return side{name: name, open: func() (load, error) { return &script{name, each, log}, nil }}
}

func TestSidesAreMeasuredInTurnAndTheFirstRoundDoesNotCount(t *testing.T) {
	var log []string
	c := trial{sides: []side{
		scripted(&log, "a", 999, 10, 20, 40),
		scripted(&log, "b", 999, 5, 30, 10),
	}}
	r, err := c.run(3)
	require.NoError(t, err)
	require.Equal(t, "a b a b a b a b close a close b", strings.Join(log, " "))
	o := r.outcome(row{base: "a", ours: "b"})
	require.Equal(t, 20.0, o.baseEach.median)
	require.Equal(t, 10.0, o.oursEach.median)
	require.Equal(t, spread{0.375, 0.5, 1}, o.ratio) // of 0.25, 0.5 and 1.5
	require.Equal(t, spread{-17.5, -5, 2.5}, r.beyond("b", "a", each))
}

func TestLongTrialsHaveFewerRounds(t *testing.T) {
	var log []string
	c := trial{sides: []side{scripted(&log, "b", 1, 1, 1, 1, 1)}, most: 2}
	_, err := c.run(4)
	require.NoError(t, err)
	require.Equal(t, "b b b close b", strings.Join(log, " "))
}

func TestLossesShowLikeWins(t *testing.T) {
	var log []string
	for _, tc := range []struct {
		ours float64
		want string
	}{
		{150, "| it | base | 100 ns | 150 ns | 0, 0 | 1.50 (1.50-1.50) | <= 0.8 x, 0 allocs | **no** |\n"},
		{80, "| it | base | 100 ns | 80 ns | 0, 0 | 0.80 (0.80-0.80) | <= 0.8 x, 0 allocs | yes |\n"},
	} {
		c := trial{unit: "ns", sides: []side{scripted(&log, "base", 1, 100), scripted(&log, "ours", 1, tc.ours)}}
		r, err := c.run(1)
		require.NoError(t, err)
		var b strings.Builder
		table{&b, io.Discard}.row(r.outcome(row{title: "it", base: "base", ours: "ours", target: ratioAtMost(0.8).andNoAllocs()}))
		require.Equal(t, tc.want, b.String())
	}
}

func TestAllocationsMissTheirTarget(t *testing.T) {
	o := outcome{row: row{target: ratioAtMost(0.8).andNoAllocs()}}
	o.ratio.median = 0.5
	require.Equal(t, "yes", o.verdict())
	o.oursAllocs.median = 0.01
	require.Equal(t, "**no**", o.verdict())
}

func TestEveryTrialHasANameOfItsOwn(t *testing.T) {
	for _, size := range []scale{full, short} {
		names := make(map[string]bool)
		for _, p := range size.pages() {
			for _, c := range p.trials {
				require.False(t, names[c.name], c.name)
				names[c.name] = true
			}
		}
		require.NotEmpty(t, names)
	}
}

func TestRowsAreOfSidesThatAreMeasuredAndFewEnoughToRead(t *testing.T) {
	for _, size := range []scale{full, short} {
		rows := 0
		for _, p := range size.pages() {
			for _, c := range p.trials {
				sides := map[string]bool{"": true}
				for _, s := range c.sides {
					require.False(t, len(c.sides) > 1 && sides[s.name], "%s: two sides are %q", c.name, s.name)
					sides[s.name] = true
				}
				for _, r := range c.rows {
					require.Contains(t, sides, r.base, c.name)
					require.Contains(t, sides, r.ours, c.name)
					rows++
				}
				for _, ours := range c.ours {
					require.Contains(t, sides, ours, c.name)
				}
			}
		}
		require.LessOrEqual(t, rows, 25)
	}
}

func TestThousandsAreSetApart(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 16384: "16,384", 1_000_000: "1,000,000"} {
		require.Equal(t, want, thousands(n))
	}
}
