package upstream

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newTestAIMD(least, most int) *aimd {
	a := newAIMD(least, most, time.Second, start)
	return &a
}

// send starts n calls and returns the epoch of the last.
func (a *aimd) send(n int) (epoch uint64) {
	for range n {
		epoch = a.started(start)
	}
	return epoch
}

func TestTheCapacityIsWhatWasNotRefusedOfTheCallsInFlight(t *testing.T) {
	a := newTestAIMD(1, 20)
	epoch := a.send(20)
	for i := range 13 {
		a.overloaded(start.Add(time.Duration(i)*time.Millisecond), epoch, 0)
		a.ended()
		require.Equal(t, 20-i-1, a.capacity)
	}
	require.EqualValues(t, 1, a.decreases, "one round trip, one decrease")

	// Calls that went out after it are judged anew.
	a.overloaded(start.Add(time.Second), a.send(1), 0)
	require.Equal(t, 7, a.capacity)
	require.EqualValues(t, 2, a.decreases)

	a = newTestAIMD(15, 20)
	epoch = a.send(20)
	for range 19 {
		a.overloaded(start, epoch, 0)
	}
	require.Equal(t, 15, a.capacity, "the least")
}

func TestIfAllAreRefusedTheCapacityShrinksByAPartAndRecoversAtOnce(t *testing.T) {
	a := newTestAIMD(1, 20)
	for _, want := range []int{14, 9, 6, 4, 2, 1, 1} {
		epoch := a.send(a.capacity)
		for range a.peak {
			a.overloaded(start, epoch, time.Second)
			a.ended()
		}
		require.Equal(t, want, a.capacity)
	}
	for range 100 {
		a.succeeded(start.Add(time.Minute), a.send(1))
	}
	require.Equal(t, 20, a.capacity)
}

// It was borne many times over before it was refused. So it is not that they were
// too many at once.
func TestACapacityThatWasBorneForAWhileShrinksByAPart(t *testing.T) {
	for after, want := range map[time.Duration]int{
		time.Millisecond: 14, time.Second: 14, 2 * time.Second: 17, 10 * time.Second: 19, time.Hour: 19,
	} {
		a := newTestAIMD(1, 20)
		epoch := a.send(20)
		for range 40 {
			a.succeeded(start, epoch)
		}
		a.overloaded(start.Add(after), epoch, time.Second)
		require.Equal(t, want, a.capacity, after)
	}
}

func TestAStepUpThatIsRefusedIsTakenBack(t *testing.T) {
	a := newTestAIMD(1, 20)
	a.capacity = 8
	epoch := a.send(8)
	a.succeeded(start.Add(time.Second), epoch)
	require.Equal(t, 9, a.capacity)
	a.overloaded(start.Add(2*time.Second), a.send(1), 0)
	require.Equal(t, 8, a.capacity)
}

func TestAPauseIsRiskedOncePerTwentyPauses(t *testing.T) {
	a := newTestAIMD(1, 20)
	a.overloaded(start, a.send(20), time.Second)
	over := start.Add(time.Second)
	a.succeeded(over.Add(20*time.Second-1), a.epoch)
	require.Equal(t, 19, a.capacity)
	a.succeeded(over.Add(20*time.Second), a.epoch)
	require.Equal(t, 20, a.capacity)
}

func TestCapacityGrowsOnlyWhileAllOfItIsUsed(t *testing.T) {
	a := newTestAIMD(1, 8)
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
		a := newTestAIMD(1, most)
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
	a := newTestAIMD(1, 10)
	old := a.send(10)
	a.overloaded(start, old, 0)
	a.succeeded(start.Add(time.Minute), old)
	require.Equal(t, 9, a.capacity)
}

func TestAPauseLastsUntilTheLatestTimeThatWasAskedFor(t *testing.T) {
	a := newTestAIMD(1, 10)
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

// Whatever happens in whatever order, the capacity stays within its bounds, and does
// not grow with a refusal, unless all calls in flight were refused.
func TestCapacityStaysWithinItsBounds(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 40 {
		least := 1 + rng.IntN(5)
		a := newTestAIMD(least, least+rng.IntN(100))
		now := start
		var epochs []uint64
		for range 500 {
			now = now.Add(time.Duration(rng.IntN(400)) * time.Millisecond)
			before := a.capacity
			switch {
			case len(epochs) == 0 || rng.IntN(2) == 0 && len(epochs) < a.capacity:
				epochs = append(epochs, a.started(start))
			default:
				i := rng.IntN(len(epochs))
				epoch := epochs[i]
				if rng.IntN(4) == 0 {
					a.overloaded(now, epoch, time.Duration(rng.IntN(3))*time.Second)
					if a.last.n < a.last.peak {
						require.LessOrEqual(t, a.capacity, before)
					}
					require.Greater(t, a.epoch, epoch)
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
