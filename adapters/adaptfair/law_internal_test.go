package adaptfair

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever happens in whatever order, limit and level stay within the bounds, and a
// level is left again in a bounded time.
func TestTheLawKeepsToItsBoundsWhateverHappens(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		now := time.Unix(0, 0)
		least := 1 + rng.IntN(5)
		l := newLaw(least, least+rng.IntN(100), least, now)
		for range 3_000 {
			now = now.Add(time.Duration(rng.IntN(3)) * time.Duration(rng.IntN(10_000_000)))
			if l.inFlight < l.level && rng.IntN(10) > 0 {
				l.start(now)
			} else if l.inFlight > 0 {
				l.end(now, time.Duration(rng.IntN(2))*time.Duration(rng.IntN(100_000_000)), rng.IntN(5) > 0)
			}
			if rng.IntN(500) == 0 {
				l.bound(now, least+rng.IntN(100))
			}
			if min(l.limit, l.level) < l.min || max(l.limit, l.level) > l.max || l.inFlight < 0 {
				t.Fatalf("limit %d, level %d, of %d to %d; %d in flight", l.limit, l.level, l.min, l.max, l.inFlight)
			}
		}
	}
}

func TestCallsThatTakeNoTimeProveNothing(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLaw(1, 1000, 10, now)
	for range 100_000 {
		l.start(now)
		l.end(now, 0, true)
	}
	require.Equal(t, 10, l.limit)
}

func TestOneVeryLongCallIsNoSignOfAQueue(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLaw(1, 16, 8, now)
	for range 8 {
		l.start(now)
	}
	for i := range 30_000 { // at any level a call takes 20 ms: there is room
		now = now.Add(20 * time.Millisecond / time.Duration(l.level))
		took := 20 * time.Millisecond
		if i%5000 == 4999 {
			took = time.Hour
		}
		l.end(now, took, true)
		for l.inFlight < l.level {
			l.start(now)
		}
	}
	require.Equal(t, 16, l.limit)
}
