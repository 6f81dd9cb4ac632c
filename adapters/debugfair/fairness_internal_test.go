package debugfair

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var someday = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestFairnessComparesWhatIsHeldWithWhatOneIsEntitledTo(t *testing.T) {
	type had struct{ held, entitled float64 }
	for name, c := range map[string]struct {
		tenants []had
		index   float64
	}{
		"all alike":                           {[]had{{2, 2}, {2, 2}, {2, 2}}, 1},
		"one has everything":                  {[]had{{8, 2}, {0, 2}, {0, 2}, {0, 2}}, 0.25},
		"as their weights are":                {[]had{{6, 6}, {2, 2}}, 1},
		"against their weights":               {[]had{{2, 6}, {6, 2}}, 64.0 / (8 * (4.0/6 + 36.0/2))},
		"one wants little and has it":         {[]had{{1, 1}, {7, 7}}, 1},
		"as far as there is, all get a half":  {[]had{{1, 2}, {3, 6}}, 1},
		"who wants nothing does not count":    {[]had{{4, 4}, {0, 0}}, 1},
		"a little of a little counts little":  {[]had{{100, 100}, {0, 0.1}}, 100.0 * 100 / (100.1 * 100)},
		"alone":                               {[]had{{3, 3}}, 1},
		"nobody":                              {nil, math.NaN()},
		"all wait, for there are no slots up": {[]had{{0, 4}, {0, 4}}, math.NaN()},
	} {
		var f fairness
		f.forward(someday)
		for i, h := range c.tenants {
			f.add(fmt.Sprint(i), int(h.held), h.entitled, time.Second)
		}
		if got := float64(f.index()); math.IsNaN(c.index) {
			require.True(t, math.IsNaN(got), name)
		} else {
			require.InDelta(t, c.index, got, 1e-6, name)
		}
	}
}

func TestFairnessIsOfTheLastMinute(t *testing.T) {
	var f fairness
	for s := range 120 {
		f.forward(someday.Add(time.Duration(s) * time.Second))
		f.add("a", 4, 2, time.Second)
		f.add("b", 0, 2, time.Second)
	}
	require.InDelta(t, 0.5, float64(f.index()), 1e-6)
	for s := 120; s < 150; s++ {
		f.forward(someday.Add(time.Duration(s) * time.Second))
		f.add("a", 2, 2, time.Second)
		f.add("b", 2, 2, time.Second)
	}
	require.InDelta(t, 0.8, float64(f.index()), 0.02, "half of it was fair: 3 and 1")
	for s := 150; s < 190; s++ {
		f.forward(someday.Add(time.Duration(s) * time.Second))
		f.add("a", 2, 2, time.Second)
		f.add("b", 2, 2, time.Second)
	}
	require.InDelta(t, 1, float64(f.index()), 1e-6)
	f.forward(someday.Add(time.Hour))
	require.Empty(t, f.tenants)
}

func TestFairnessKnowsABoundedNumberOfTenants(t *testing.T) {
	var f fairness
	f.forward(someday)
	for i := range 100_000 {
		f.add(fmt.Sprint("waits ", i), 0, 0.001, time.Second)
	}
	require.Len(t, f.tenants, mostWaiting)
	f.add("hog", 1000, 500, time.Second)
	require.Contains(t, f.tenants, "hog", "one that holds is not lost among those that wait")
	require.Less(t, float64(f.index()), 0.85)
	for i := range 100_000 {
		f.add(fmt.Sprint("holds ", i), 1, 1, time.Second)
	}
	require.Len(t, f.tenants, mostHolding)
}
