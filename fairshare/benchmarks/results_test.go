package main

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// skipUnderRace leaves out what plays many scenarios. The race detector, which
// makes it ten times slower, has the other tests to look at.
func skipUnderRace(t *testing.T) {
	if raceEnabled {
		t.Skip("runs without the race detector only")
	}
}

func TestTheSameIsWrittenEachTimeAndOnlyOnRequest(t *testing.T) {
	skipUnderRace(t)
	const brief size = 0.005
	var out strings.Builder
	folders := [2]string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b", "c")}
	for _, f := range folders {
		require.NoError(t, report(f, brief, &out))
	}
	names := []string{"results.md", "results.csv"}
	for _, c := range charts {
		names = append(names, c.file)
	}
	for _, name := range names {
		a, err := os.ReadFile(filepath.Join(folders[0], name))
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join(folders[1], name))
		require.NoError(t, err)
		require.NotEmpty(t, a)
		require.True(t, string(a) == string(b), name)
		if strings.HasSuffix(name, ".svg") {
			require.Contains(t, string(a), "</svg>")
			require.NotContains(t, string(a), "NaN", name)
		}
	}

	table, err := os.ReadFile(filepath.Join(folders[0], "results.md"))
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	out.Reset()
	require.NoError(t, report("", brief, &out))
	require.True(t, string(table) == out.String(), "the table is printed")
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, left, "and nothing is written")
}

// The figures in results are those of the scheduler as it is.
func TestResultsAreUpToDate(t *testing.T) {
	skipUnderRace(t)
	f, err := os.Open(filepath.Join("results", "results.csv"))
	require.NoError(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.Equal(t, columns, lines[0])
	written := make(map[string][]string)
	for _, line := range lines[1:] {
		written[line[0]+"/"+line[1]] = line
	}
	for i := range scenarios {
		var now [1]outcome
		compete(&scenarios[i], full, contenders[:1], now[:])
		line := written[scenarios[i].id+"/"+ours]
		require.NotNil(t, line, "%s is missing: go run ./fairshare/benchmarks -write fairshare/benchmarks/results", scenarios[i].id)
		value, err := strconv.ParseFloat(line[3], 64)
		require.NoError(t, err)
		// Processors differ in the last bits, which may decide a tie.
		require.InDelta(t, value, now[0].value(), 0.01*math.Abs(value)+1e-6,
			"scenario %s: go run ./fairshare/benchmarks -write fairshare/benchmarks/results", scenarios[i].id)
	}
}

// Where fairpool without any setting is neither the best nor within 5% of it is
// known, and told in the README.
func TestFairpoolIsBestOrNearExceptWhereTheReadmeSays(t *testing.T) {
	skipUnderRace(t)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, r := range measure(quick, 2) {
		sc := r[0].scenario
		if r.of(ours).near(r.best()) {
			continue
		}
		require.Contains(t, string(readme), "\n- **"+sc.id+"**", "%s is best in %s", r.best().contender.name, sc.id)
	}
}

func TestVerdictAdmitsLosses(t *testing.T) {
	sc := &scenario{value: func(f figures) float64 { return f.p99 }}
	of := func(name string, wait, utilization float64) outcome {
		return outcome{scenario: sc, contender: contender{name: name}, able: true, figures: figures{p99: wait, utilization: utilization}}
	}
	require.Equal(t, "best", row{of(ours, 1, 1), of("x", 2, 1)}.verdict())
	require.Equal(t, "within 5% of x", row{of(ours, 1.04, 1), of("x", 1, 1)}.verdict())
	require.Equal(t, "**not best**: x is", row{of(ours, 1.06, 1), of("x", 1, 1)}.verdict())
	require.Equal(t, "**not best**: x is, which leaves 10.0% of the slot-time unused; best or within 5% of it among those that leave none",
		row{of(ours, 1.06, 1), of("x", 1, 0.9), of("y", 2, 1)}.verdict())
	require.Equal(t, "**not best**: x is, which leaves 10.0% of the slot-time unused",
		row{of(ours, 4, 1), of("x", 1, 0.9), of("y", 2, 1)}.verdict())
	unable := of("z", 0, 1)
	unable.able = false
	require.Equal(t, "best", row{of(ours, 1, 1), unable}.verdict())
}

// One slot: tenant 0 holds it for 1 s of 4, tenant 1 for 2 s; a third waits from
// second 3 on and is not served.
func TestFiguresOfAKnownHistory(t *testing.T) {
	const s = time.Second
	l := load{capacity: 1, until: 4 * s, tenants: []tenant{
		{weight: 1, counted: true}, {weight: 1, counted: true, crews: []crew{{workers: 1, until: always}}}, {weight: 1, light: true}}}
	r := newRecord(l, ideal{total: []float64{2, 2, 0}})
	a, b, c := &request{}, &request{tenant: 1, payer: 1}, &request{tenant: 2, payer: 2, asked: 3 * s}
	r.asked(a)
	r.granted(0, a)
	r.pass(1 * s)
	r.returned(1*s, a)
	r.granted(1*s, b)
	r.pass(3 * s)
	r.returned(3*s, b)
	r.asked(c)
	r.pass(4 * s)
	f := r.figures()
	require.InDelta(t, 0.9, f.jain, 1e-9, "of 1/2 and 2/2")
	require.InDelta(t, 0.5, f.worst, 1e-9)
	require.InDelta(t, 0.75, f.match, 1e-9)
	require.InDelta(t, 0.75, f.utilization, 1e-9)
	require.InDelta(t, 0.5, f.deviation, 1e-9, "a slot half of the time")
	require.InDelta(t, 1, f.p99, 1e-9, "has waited for 1 s")
	require.True(t, math.IsNaN(f.lag), "only one is there throughout")
}
