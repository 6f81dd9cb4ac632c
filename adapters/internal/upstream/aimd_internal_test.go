package upstream

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newAIMD(least, most int) *aimd {
	return &aimd{min: least, max: most, every: time.Second, capacity: most, changed: start}
}

// send starts n calls and returns the epoch of the last.
func (a *aimd) send(n int) (epoch uint64) {
	for range n {
		epoch = a.started()
	}
	return epoch
}

func TestManyRefusalsInOneRoundTripAreOneDecrease(t *testing.T) {
	a := newAIMD(1, 20)
	epoch := a.send(20)
	for i := range 20 {
		a.overloaded(start.Add(time.Duration(i)*time.Second), epoch, 0)
	}
	require.Equal(t, 14, a.capacity, "0.7 of 20")
	require.EqualValues(t, 1, a.decreases)

	// Those sent after it count again.
	a.inFlight = 14
	a.overloaded(start.Add(30*time.Second), a.started(), 0)
	require.Equal(t, 9, a.capacity, "0.7 of 14")
}

func TestADecreaseStartsFromWhatWasInFlightButAtMostHalves(t *testing.T) {
	a := newAIMD(1, 20)
	a.overloaded(start, a.send(16), 0)
	require.Equal(t, 11, a.capacity, "0.7 of 16")

	a = newAIMD(1, 20)
	a.overloaded(start, a.send(1), 0)
	require.Equal(t, 10, a.capacity)

	a = newAIMD(15, 20)
	a.overloaded(start, a.send(20), 0)
	require.Equal(t, 15, a.capacity, "the least")
	a.overloaded(start, a.started(), 0)
	require.Equal(t, 15, a.capacity)
	require.EqualValues(t, 1, a.decreases)
}

func TestCapacityGrowsOnlyWhileAllOfItIsUsed(t *testing.T) {
	a := newAIMD(1, 8)
	a.capacity = 4
	now := start
	epoch := a.send(3)
	for range 10 {
		now = now.Add(time.Second)
		a.succeeded(now, epoch)
	}
	require.Equal(t, 4, a.capacity, "three of four were in flight")

	a.send(1)
	a.succeeded(now, epoch)
	require.Equal(t, 5, a.capacity)
	a.send(1)
	a.succeeded(now.Add(time.Second-1), epoch)
	require.Equal(t, 5, a.capacity, "too soon")
	a.succeeded(now.Add(time.Second), epoch)
	require.Equal(t, 6, a.capacity)
}

func TestCapacityGrowsFromLeastToMostInTwentySteps(t *testing.T) {
	for _, most := range []int{2, 20, 100, 101, 1000} {
		a := newAIMD(1, most)
		a.capacity = 1
		now, grown := start, 0
		for a.capacity < most {
			before := a.capacity
			a.send(a.capacity)
			now = now.Add(time.Second)
			a.succeeded(now, a.epoch)
			require.Greater(t, a.capacity, before)
			grown++
		}
		require.Equal(t, most, a.capacity)
		require.LessOrEqual(t, grown, 25)
		a.send(most)
		a.succeeded(now.Add(time.Minute), a.epoch)
		require.Equal(t, most, a.capacity, "no more than at first")
	}
}

func TestSuccessOfCallsSentBeforeADecreaseProvesNothing(t *testing.T) {
	a := newAIMD(1, 10)
	old := a.send(10)
	a.overloaded(start, old, 0)
	a.succeeded(start.Add(time.Minute), old)
	require.Equal(t, 7, a.capacity)
}

func TestAPauseLastsUntilTheLatestTimeThatWasAskedFor(t *testing.T) {
	a := newAIMD(1, 10)
	epoch := a.send(10)
	a.overloaded(start, epoch, 5*time.Second)
	require.Equal(t, start.Add(5*time.Second), a.until)
	a.overloaded(start.Add(time.Second), epoch, 2*time.Second)
	require.Equal(t, start.Add(5*time.Second), a.until, "not cut short")
	a.overloaded(start.Add(time.Second), epoch, 20*time.Second)
	require.Equal(t, start.Add(21*time.Second), a.until, "an old call may prolong it")
	require.EqualValues(t, 1, a.pauses)
	a.overloaded(start.Add(time.Minute), epoch, time.Second)
	require.EqualValues(t, 2, a.pauses)
}

func TestThePauseIsNotTimeInWhichCapacityProvesItself(t *testing.T) {
	a := newAIMD(1, 10)
	a.overloaded(start, a.send(10), 10*time.Second)
	a.inFlight = 0
	epoch := a.send(7)
	a.succeeded(start.Add(10*time.Second), epoch)
	require.Equal(t, 7, a.capacity)
	a.succeeded(start.Add(11*time.Second), epoch)
	require.Equal(t, 8, a.capacity)
}

// Whatever happens in whatever order, the capacity stays within its bounds,
// moves by no more than it should, and never up and down for one epoch.
func TestCapacityStaysWithinItsBounds(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 40 {
		least := 1 + rng.IntN(5)
		a := newAIMD(least, least+rng.IntN(100))
		now := start
		var epochs []uint64
		for range 500 {
			now = now.Add(time.Duration(rng.IntN(400)) * time.Millisecond)
			before := a.capacity
			switch {
			case len(epochs) == 0 || rng.IntN(2) == 0 && len(epochs) < a.capacity:
				epochs = append(epochs, a.started())
			default:
				i := rng.IntN(len(epochs))
				epoch := epochs[i]
				if rng.IntN(4) == 0 {
					a.overloaded(now, epoch, time.Duration(rng.IntN(3))*time.Second)
					require.LessOrEqual(t, a.capacity, before)
					require.GreaterOrEqual(t, a.capacity, before/2)
					if a.capacity < before {
						require.Greater(t, a.epoch, epoch)
					}
				} else {
					a.succeeded(now, epoch)
					require.GreaterOrEqual(t, a.capacity, before)
				}
				epochs = append(epochs[:i], epochs[i+1:]...)
				a.ended()
			}
			require.GreaterOrEqual(t, a.capacity, a.min)
			require.LessOrEqual(t, a.capacity, a.max)
			require.Equal(t, len(epochs), a.inFlight)
		}
	}
}
