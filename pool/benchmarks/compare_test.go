package main

import (
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
	return side{name, func() (load, error) { return &script{name, each, log}, nil }}
}

func TestSidesAreMeasuredInTurnAndTheFirstRoundDoesNotCount(t *testing.T) {
	var log []string
	c := comparison{
		base: scripted(&log, "a", 999, 10, 20, 40),
		ours: scripted(&log, "b", 999, 5, 30, 10),
	}
	o, err := c.run(3)
	require.NoError(t, err)
	require.Equal(t, "b a a b a b a b close a close b", strings.Join(log, " "))
	require.Equal(t, 20.0, o.baseEach.median)
	require.Equal(t, 10.0, o.oursEach.median)
	require.Equal(t, spread{0.375, 0.5, 1}, o.ratio) // of 0.25, 0.5 and 1.5
}

func TestLongRowsHaveFewerRounds(t *testing.T) {
	var log []string
	c := comparison{ours: scripted(&log, "b", 1, 1, 1, 1, 1), most: 2}
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
		c := comparison{
			title: "it", unit: "ns", target: ratioAtMost(0.8).andNoAllocs(),
			base: scripted(&log, "base", 1, 100), ours: scripted(&log, "ours", 1, tc.ours),
		}
		o, err := c.run(1)
		require.NoError(t, err)
		var b strings.Builder
		table{&b}.row(o)
		require.Equal(t, tc.want, b.String())
	}
}

func TestAllocationsMissTheirTarget(t *testing.T) {
	o := outcome{comparison: comparison{target: ratioAtMost(0.8).andNoAllocs()}}
	o.ratio.median = 0.5
	require.Equal(t, "yes", o.verdict())
	o.oursAllocs.median = 0.01
	require.Equal(t, "**no**", o.verdict())
}

func TestEveryRowHasANameOfItsOwn(t *testing.T) {
	for _, size := range []scale{full, short} {
		names := make(map[string]bool)
		for _, c := range size.comparisons() {
			require.False(t, names[c.name], c.name)
			names[c.name] = true
		}
		require.NotEmpty(t, names)
	}
}

func TestThousandsAreSetApart(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 16384: "16,384", 1_000_000: "1,000,000"} {
		require.Equal(t, want, thousands(n))
	}
}
