package soak

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var (
	lengthFlag  = flag.Duration("soak", 5*time.Second, "how long to soak")
	resultsFlag = flag.String("soak-results", "", "write the figures to this file, relative to the module")
	seedFlag    = flag.Uint64("seed", 0, "of the random choices; 0 draws one")
)

// Invariants 1, 2, 3, 4, 8 and 9 in real time, whatever goes wrong.
func TestSoakNothingIsLostSharedOrLeftOver(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	each := *lengthFlag / time.Duration(len(setups))
	report := newReport(seed, *lengthFlag)
	for _, s := range setups {
		t.Run(s.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			r := newRun(t, s, seed, time.Millisecond)
			start := time.Now()
			r.attack(each)
			goleak.VerifyNone(t, before)
			line := report.add(s.name, r, time.Since(start))
			t.Log(line)
		})
	}
	if *resultsFlag != "" && !t.Failed() {
		require.NoError(t, report.write(*resultsFlag))
	}
}
