package debugfair

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBucketsAreInOrderAndStandForWhatIsInThem(t *testing.T) {
	last := -1
	for us := int64(0); us < 1<<40; us += 1 + us/50 {
		b := bucketOf(time.Duration(us) * time.Microsecond)
		require.GreaterOrEqual(t, b, last)
		require.LessOrEqual(t, b, last+1, "no bucket is left out at %d µs", us)
		last = b
		require.InEpsilon(t, float64(us)/1000+1e-9, middle(b)+1e-9, 0.07, "%d µs", us)
	}
	require.Equal(t, 0, bucketOf(-time.Second))
	require.Equal(t, buckets-1, bucketOf(math.MaxInt64))
}

func TestPercentilesAreThoseOfTheWaitsSince(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var w Waits
	for range 1000 {
		w.Observe(time.Hour)
	}
	before := w.read()
	var all []float64
	for range 20_000 {
		ms := math.Exp(rng.NormFloat64()*2 + 1)
		all = append(all, ms)
		w.Observe(time.Duration(ms * float64(time.Millisecond)))
	}
	slices.Sort(all)
	now := w.read()
	got := now.percentiles(&before, 0.5, 0.99)
	require.InEpsilon(t, all[9_999], float64(got[0]), 0.08)
	require.InEpsilon(t, all[19_799], float64(got[1]), 0.08)
	for _, p := range now.percentiles(&now, 0.5, 0.99) {
		require.True(t, math.IsNaN(float64(p)), "none since")
	}
}
