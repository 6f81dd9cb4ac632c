package sched

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// fill is progressive filling: what is left is divided by weight, those that
// have enough step aside, and so on with the rest.
func fill(capacity float64, claims []Claim) []float64 {
	parts := make([]float64, len(claims))
	done := make([]bool, len(claims))
	for {
		weights := 0.0
		for i, c := range claims {
			if !done[i] {
				weights += c.Weight
			}
		}
		satisfied := -1
		for i, c := range claims {
			if !done[i] && c.Demand <= capacity*c.Weight/weights {
				satisfied = i
			}
		}
		if satisfied < 0 {
			for i, c := range claims {
				if !done[i] {
					parts[i] = capacity * c.Weight / weights
				}
			}
			return parts
		}
		parts[satisfied] = claims[satisfied].Demand
		capacity -= claims[satisfied].Demand
		done[satisfied] = true
	}
}

// entitled is what each tenant of a history would hold.
func (d *dumb) entitled() map[*dumbTenant]float64 {
	claims := make([]Claim, len(d.tenants))
	for i, t := range d.tenants {
		claims[i] = Claim{t.share.Weight, float64(min(t.held+t.wants(), d.cap(t)))}
	}
	parts := fill(float64(d.Capacity), claims)
	entitled := make(map[*dumbTenant]float64)
	for i, t := range d.tenants {
		entitled[t] = parts[i]
	}
	return entitled
}

func TestMaxMinGivesTheKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		capacity float64
		demands  []float64
		weights  []float64 // nil: all 1
		want     []float64
	}{
		{14, []float64{3, 7, 9, 1}, nil, []float64{3, 5, 5, 1}},
		{42, []float64{1, 47}, nil, []float64{1, 41}},
		{120, []float64{1000, 60, 10}, nil, []float64{55, 55, 10}},
		{120, []float64{1000, 50, 10}, nil, []float64{60, 50, 10}},
		{120, []float64{5, 32, 40, 1000}, nil, []float64{5, 32, 40, 43}},
		{120, []float64{5, 32, 42, 1000}, nil, []float64{5, 32, 41.5, 41.5}},
		{10, []float64{9, 9}, []float64{1, 3}, []float64{2.5, 7.5}},
		{16, []float64{4, 2, 10, 4}, []float64{2.5, 4, 0.5, 1}, []float64{4, 2, 6, 4}},
		{10, []float64{3, 3}, nil, []float64{3, 3}},
		{0, []float64{3, 3}, nil, []float64{0, 0}},
		{10, []float64{0, 20}, nil, []float64{0, 10}},
		{49, []float64{9, 9, 9, 9, 9, 9, 9}, nil, []float64{7, 7, 7, 7, 7, 7, 7}},
		{10, nil, nil, []float64{}},
	} {
		claims := make([]Claim, len(c.demands))
		for i, demand := range c.demands {
			claims[i] = Claim{1, demand}
			if c.weights != nil {
				claims[i].Weight = c.weights[i]
			}
		}
		require.Equal(t, c.want, MaxMin(c.capacity, claims), "%v over %v", c.demands, c.capacity)
	}
}

func TestMaxMinIsProgressiveFilling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := float64(rapid.IntRange(0, 300).Draw(t, "capacity"))
		claims := make([]Claim, rapid.IntRange(0, 12).Draw(t, "claims"))
		for i := range claims {
			claims[i] = Claim{
				Weight: math.Pow(10, rapid.Float64Range(-6, 6).Draw(t, "weight exponent")),
				Demand: float64(rapid.IntRange(0, 100).Draw(t, "demand")),
			}
		}
		parts, want, sum := MaxMin(capacity, claims), fill(capacity, claims), 0.0
		for i := range claims {
			require.InDelta(t, want[i], parts[i], 1e-9*(1+capacity))
			require.LessOrEqual(t, parts[i], claims[i].Demand)
			require.GreaterOrEqual(t, parts[i], 0.0)
			sum += parts[i]
		}
		require.LessOrEqual(t, sum, capacity*(1+1e-9))
	})
}

// A sum of weights that are very unlike loses the light ones to rounding.
func TestMaxMinSurvivesWeightsOfAllSizes(t *testing.T) {
	claims := make([]Claim, 10_000)
	for i := range claims {
		claims[i] = Claim{1e6, 5}
	}
	for range 3 {
		claims = append(claims, Claim{1e-6, 5})
		sum := 0.0
		for i, part := range MaxMin(100, claims) {
			require.False(t, math.IsNaN(part), "claim %d", i)
			require.GreaterOrEqual(t, part, 0.0)
			require.LessOrEqual(t, part, 5.0)
			sum += part
		}
		require.InDelta(t, 100, sum, 1e-6)
	}
}
