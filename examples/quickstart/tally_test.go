package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWaitsCountFromWhenTheRequestWasDueAndHoldsAreSlotTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scores := newTally("test", load{})
		r := &request{tenant: 1, due: 10 * time.Millisecond}
		time.Sleep(15 * time.Millisecond)
		scores.waits(r)
		time.Sleep(25 * time.Millisecond)
		at, moments := scores.now()
		require.Equal(t, 40*time.Millisecond, at)
		require.Equal(t, moment{waiting: 1, longest: 30 * time.Millisecond}, moments[1])

		since := scores.holds(r)
		time.Sleep(20 * time.Millisecond)
		_, moments = scores.now()
		require.Equal(t, moment{held: 1}, moments[1])
		scores.returns(r, since, true)
		_, moments = scores.now()
		require.Equal(t, moment{done: 1}, moments[1])

		a := scores.accounts[1]
		require.Equal(t, []time.Duration{30 * time.Millisecond}, a.waits)
		require.Equal(t, 20*time.Millisecond, a.slotTime)
	})
}

func TestAnInterruptedQueryIsNotDoneButItsSlotTimeCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scores := newTally("test", load{})
		r := &request{tenant: batch}
		scores.waits(r)
		since := scores.holds(r)
		time.Sleep(time.Second)
		scores.returns(r, since, false)
		a := scores.accounts[batch]
		require.Zero(t, a.done)
		require.Equal(t, 1, a.givenUp)
		require.Equal(t, time.Second, a.slotTime)
	})
}

func TestQuantileIsTheLeastWaitThatEnoughDoNotExceed(t *testing.T) {
	var waits []time.Duration
	for i := 100; i >= 1; i-- {
		waits = append(waits, time.Duration(i))
	}
	require.EqualValues(t, 1, quantile(waits, 0))
	require.EqualValues(t, 50, quantile(waits, 0.5))
	require.EqualValues(t, 99, quantile(waits, 0.99))
	require.EqualValues(t, 100, quantile(waits, 0.991))
	require.EqualValues(t, 100, quantile(waits, 1))
	require.EqualValues(t, 100, waits[0], "the waits stay as they are")
	require.EqualValues(t, 5, quantile([]time.Duration{5}, 0.5))
	require.Zero(t, quantile(nil, 0.5))
}

func TestTheWebWaitsAreAllButTheBatch(t *testing.T) {
	scores := newTally("test", load{})
	for i := range scores.accounts {
		scores.accounts[i].waits = []time.Duration{time.Duration(i), time.Duration(10 * i)}
	}
	require.ElementsMatch(t, []time.Duration{1, 10, 2, 20, 3, 30, 4, 40}, scores.webWaits())
}
