package sched

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The credit of a tenant that was away is four mean holds, however rare and long
// the holds are that make up the mean; R stays with the usual ones.
func TestTheDefaultBurstIsFourMeanHoldsAlsoWhereLongOnesAreRare(t *testing.T) {
	for _, c := range []struct {
		p    float64
		long time.Duration
	}{{0.01, 10 * time.Second}, {0.02, time.Second}, {0.005, time.Minute}, {1, 100 * ms}} {
		s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
		r := rand.New(rand.NewPCG(1, 9))
		hold := outliers(c.p, ms, c.long)
		now, sum := time.Duration(1), time.Duration(0)
		const holds = 5000
		for range holds {
			d := hold(r)
			a := s.Tenant(now, "a")
			s.Grant(now, a)
			now, sum = now+d, sum+d
			s.Release(now, a, now-d)
		}
		ratio := float64(s.burstCredit()) / float64(4*sum/holds)
		t.Logf("%.3f of %v: R %v, mean %v, Burst %v", c.p, c.long, s.Horizon(), sum/holds, time.Duration(s.burstCredit()))
		require.InDelta(t, 1, ratio, 0.75)
		require.LessOrEqual(t, s.Horizon(), 2*sum/holds)
	}
}
