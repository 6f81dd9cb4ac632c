package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOracleDividesByWeightWhileAllWait(t *testing.T) {
	best := oracle(weighted(quick), 10)
	for i, s := range best.total {
		require.InDelta(t, 480*float64(i+1)/10, s, 1e-6, "8 slots for 60 s, by 1:2:3:4")
	}
	require.InDelta(t, best.total[3]/2, best.samples[4][3], 1e-6)
}

// Two slots; tenant 0 has two workers, of which one leaves after 6 s; tenant 1
// brings three requests of 3 slot-seconds at 2 s; capacity 4 from 8 s on.
func TestOracleFollowsDemandAndCapacity(t *testing.T) {
	three := arrival{at: 2 * time.Second, hold: 3 * time.Second}
	l := load{capacity: 2, until: 20 * time.Second, resizes: []resize{{8 * time.Second, 4}}, tenants: []tenant{
		{weight: 1, crews: []crew{{workers: 1, until: 6 * time.Second}, {workers: 1, until: always}}},
		{weight: 1, arrivals: []arrival{three, three, three}},
	}}
	best := oracle(l, 20)
	at := func(second int) []float64 { return best.samples[second-1] }
	require.InDeltaSlice(t, []float64{4, 0}, at(2), 1e-9, "alone")
	require.InDeltaSlice(t, []float64{8, 4}, at(6), 1e-9, "a slot each")
	require.InDeltaSlice(t, []float64{10, 6}, at(8), 1e-9, "still")
	// Two of the requests are done at 8 s, the third takes a whole slot.
	require.InDeltaSlice(t, []float64{11, 7}, at(9), 1e-9)
	require.InDeltaSlice(t, []float64{13, 9}, at(11), 1e-9, "all done")
	require.InDeltaSlice(t, []float64{22, 9}, best.total, 1e-9, "one worker needs no more than a slot")
}

// What gives up before it was served leaves no trace.
func TestOracleForgetsWhoGivesUp(t *testing.T) {
	l := load{capacity: 1, until: 20 * time.Second, tenants: []tenant{{weight: 1, arrivals: []arrival{
		{at: 0, hold: 4 * time.Second},
		{at: 1, hold: 4 * time.Second, patience: 2 * time.Second},
		{at: 2, hold: 4 * time.Second, patience: 5 * time.Second},
	}}}}
	require.InDelta(t, 8, oracle(l, 1).total[0], 1e-9, "the second left after 2 s, the third was begun after 4 s")
}

// Nothing is made and nothing lost: with demand enough the whole capacity is
// used, without it every request is served to the end.
func TestOracleUsesWhatItHas(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		l := load{capacity: 1 + r.IntN(8), until: 500 * time.Second}
		asked := 0.0
		for range 1 + r.IntN(10) {
			in := tenant{weight: 0.5 + r.Float64()}
			in.arrivals = poisson(r, 1, 0, 100*time.Second, exponential(time.Second/4))
			for _, a := range in.arrivals {
				asked += a.hold.Seconds()
			}
			l.tenants = append(l.tenants, in)
		}
		sum := func(xs []float64) (s float64) {
			for _, x := range xs {
				s += x
			}
			return s
		}
		require.InDelta(t, asked, sum(oracle(l, 1).total), 1e-4, "seed %d", seed)
		l.tenants[0].crews = []crew{{workers: l.capacity, until: always}}
		require.InDelta(t, 500*float64(l.capacity), sum(oracle(l, 1).total), 1e-4, "seed %d", seed)
	}
}
