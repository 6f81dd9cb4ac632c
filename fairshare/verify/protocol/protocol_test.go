package protocol

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// enough is more states than any scenario has.
const enough = 2_000_000

// scenarios are what is explored. Those with the lock and the inboxes in every
// detail come first; then those of a pool, where what is left in an inbox is
// seen to by somebody, at any time but before anything else is done under the
// lock, which the first have shown.
var scenarios = []Scenario{
	{Name: "3 callers, 2 slots, 3 cancels, Close", Capacity: 2, Waiters: 3, Cancels: 3, Actors: [2]actor{closer}, Rounds: 1},
	{Name: "3 callers, 1 slot, 3 cancels", Capacity: 1, Waiters: 3, Cancels: 3, Rounds: 1},
	{Name: "3 callers, 2 slots, 3 cancels, one look after Unlock", Capacity: 2, Waiters: 3, Cancels: 3},
	{Name: "2 callers, 1 slot, 2 cancels, Close, AcquireTimeout", Capacity: 1, Waiters: 2, Cancels: 2, Actors: [2]actor{closer, impatient}, Rounds: 1},
	{Name: "3 callers, two of them of a tenant with a Max of 1", Capacity: 2, Waiters: 3, Tenants: "aab", Max: 1, Rounds: 1},
	{Name: "3 callers, two of them of one tenant, one with TryAcquire, Headroom 1", Capacity: 2, Waiters: 3, Tries: 1, Tenants: "aab", Headroom: 1, Rounds: 1},
	{Name: "2 callers of one tenant, 2 cancels, Headroom 1, Resize up", Capacity: 2, Waiters: 2, Cancels: 2, Tenants: "aa", Headroom: 1, Actors: [2]actor{grower}, Rounds: 1},
	{Name: "3 callers, one of them with TryAcquire", Capacity: 1, Waiters: 3, Tries: 1, Rounds: 1},
	{Name: "2 callers, 2 cancels, Suspend and Resume", Capacity: 1, Waiters: 2, Cancels: 2, Actors: [2]actor{suspender, resumer}, Rounds: 1},
	{Name: "2 callers, 2 cancels, Resize down and up", Capacity: 1, Waiters: 2, Cancels: 2, Actors: [2]actor{shrinker, grower}, Rounds: 1},
	{Name: "pool in detail: 2 callers, 2 slots, 2 cancels", Pool: true, Capacity: 2, Waiters: 2, Cancels: 2, Rounds: 1},
	{Name: "pool in detail: 2 callers, 1 slot, a failing build", Pool: true, Capacity: 1, Waiters: 2, Failures: 1, Rounds: 1},
	{Name: "pool: 3 callers, 2 slots, 3 cancels, Close, a failing build, Destroy", Pool: true, Coarse: true, Capacity: 2, Waiters: 3, Cancels: 3, Destroys: true, Failures: 1, Actors: [2]actor{closer}},
	{Name: "pool: 3 callers, 2 slots, 3 cancels, Revoke, Destroy", Pool: true, Coarse: true, Capacity: 2, Waiters: 3, Cancels: 3, Destroys: true, Actors: [2]actor{revoker}},
	{Name: "4 callers of two tenants, 3 slots, 4 cancels, Close, Headroom 1", Coarse: true, Capacity: 3, Waiters: 4, Cancels: 4, Tenants: "aabb", Headroom: 1, Actors: [2]actor{closer}},
	{Name: "pool: 3 callers of two tenants, 2 slots, 3 cancels, a failing build, Destroy, Headroom 1", Pool: true, Coarse: true, Capacity: 2, Waiters: 3, Cancels: 3, Tenants: "aab", Headroom: 1, Destroys: true, Failures: 1},
	{Name: "pool: 2 callers, 2 slots, 2 cancels, two failing builds, AcquireTimeout, Close", Pool: true, Coarse: true, Capacity: 2, Waiters: 2, Cancels: 2, Destroys: true, Failures: 2, Actors: [2]actor{impatient, closer}},
	{Name: "pool: 3 callers, one of them with TryAcquire, a failing build, Suspend and Resume", Pool: true, Coarse: true, Capacity: 2, Waiters: 3, Tries: 1, Failures: 1, Actors: [2]actor{suspender, resumer}},
}

// Invariants 2, 3, 4, 7 and 10: no interleaving loses a wake-up or a slot, grants
// one twice, or leaves somebody waiting or something lying about.
func TestNoInterleavingLosesAWakeUpOrASlot(t *testing.T) {
	skipUnderRace(t)
	total := 0
	for _, sc := range scenarios {
		t.Run(sc.Name, func(t *testing.T) {
			start := time.Now()
			r := Explore(sc, enough)
			if r.Violation != nil {
				t.Fatal(r.Violation)
			}
			t.Logf("%d states, %d moves, %d of the states quiet, %d final, %d moves deep, the longest run %d moves, %v",
				r.States, r.Moves, r.Quiet, r.Ends, r.Depth, r.Longest, time.Since(start).Round(time.Millisecond))
			require.NotZero(t, r.Ends)
			total += r.States
		})
	}
	t.Logf("%d states together", total)
}

// An exploration is one goroutine: the race detector has nothing to see in it,
// and makes it take ten times as long.
func skipUnderRace(t *testing.T) {
	if raceEnabled {
		t.Skip("runs without the race detector only")
	}
}

// What is left out of the exploration is equivalent to what is not: without the
// reductions it ends in the same quiet states, and so it does if the lock and
// the inboxes are not looked into.
func TestTheReductionsLeaveOutNothing(t *testing.T) {
	skipUnderRace(t)
	quiet := func(sc Scenario) (map[state]struct{}, Result) {
		sc.quiet = make(map[state]struct{})
		r := Explore(sc, enough)
		if r.Violation != nil {
			t.Fatal(r.Violation)
		}
		return sc.quiet, r
	}
	for _, sc := range []Scenario{
		{Name: "semaphore", Capacity: 1, Waiters: 2, Cancels: 2, Actors: [2]actor{closer}, Rounds: 1},
		{Name: "3 callers", Capacity: 2, Waiters: 3, Rounds: 1},
		{Name: "resize", Capacity: 1, Waiters: 2, Cancels: 1, Actors: [2]actor{grower}, Rounds: 1},
		{Name: "pool", Pool: true, Capacity: 1, Waiters: 2, Cancels: 1, Rounds: 1},
		{Name: "destroy", Pool: true, Capacity: 1, Waiters: 2, Destroys: true, Rounds: 4},
		{Name: "revoke", Pool: true, Capacity: 1, Waiters: 1, Cancels: 1, Actors: [2]actor{revoker}, Rounds: 1},
	} {
		t.Run(sc.Name, func(t *testing.T) {
			reduced, few := quiet(sc)
			coarse := sc
			coarse.Coarse = true
			atOnce, fewest := quiet(coarse)
			plain := sc
			plain.Plain = true
			all, many := quiet(plain)
			t.Logf("%d states, %d reduced, %d with whole critical sections; %d quiet", many.States, few.States, fewest.States, len(all))
			require.Equal(t, len(all), len(reduced))
			for s := range all {
				require.Contains(t, reduced, s)
				require.Contains(t, atOnce, s)
			}
			require.Equal(t, len(all), len(atOnce))
			require.Greater(t, many.States, few.States)
		})
	}
}

// An exploration that cannot fail proves nothing.
func TestEveryMistakeIsFound(t *testing.T) {
	skipUnderRace(t)
	inDetail := Scenario{Capacity: 1, Waiters: 3, Cancels: 3}
	reserved := Scenario{Capacity: 2, Waiters: 3, Tenants: "aab", Headroom: 1}
	handedOn := Scenario{Coarse: true, Capacity: 3, Waiters: 4, Tenants: "aabb", Headroom: 1}
	few := Scenario{Capacity: 1, Waiters: 2, Rounds: 1}
	three := Scenario{Capacity: 1, Waiters: 3}
	closed := Scenario{Capacity: 1, Waiters: 3, Actors: [2]actor{closer}}
	ofPool := Scenario{Pool: true, Coarse: true, Capacity: 1, Waiters: 2, Failures: 1, Destroys: true}
	failing := Scenario{Pool: true, Coarse: true, Capacity: 2, Waiters: 2, Failures: 1}
	revoking := Scenario{Pool: true, Coarse: true, Capacity: 1, Waiters: 2, Actors: [2]actor{revoker}}
	closedPool := Scenario{Pool: true, Coarse: true, Capacity: 1, Waiters: 2, Actors: [2]actor{closer}}
	in := [bugs]*Scenario{
		noLookAfterFastUnlock:    &inDetail,
		noLookAfterSlowUnlock:    &inDetail,
		lookBeforeUnlock:         &inDetail,
		lookAtReturnsOnly:        &inDetail,
		lookAtArrivalsOnly:       &inDetail,
		takeInTwoSteps:           &inDetail,
		noTryAfterPut:            &inDetail,
		noServeAfterRounds:       &inDetail,
		cancelForgetsGrant:       &inDetail,
		lateGrantIsLost:          &inDetail,
		wakeUnderLock:            &inDetail,
		admitWhenClosed:          &closed,
		closeWakesFirst:          &closed,
		closeForgetsQueue:        &closed,
		generationAfterUnlock:    &revoking,
		releaseTwice:             &revoking,
		failedBuildKeepsPlace:    &ofPool,
		backoffForgetsWaiters:    &failing,
		destructorForgetsWaiters: &ofPool,
		closedPoolKeepsReturned:  &closedPool,
		headroomForAll:           &reserved,
		headroomForNobody:        &reserved,
		putForgetsHeadroom:       &handedOn,
		tryUntilFree:             &few,
		returnedIsLeftAgain:      &few,
		waiterIsLeftAgain:        &three,
		surplusIsReplaced:        &ofPool,
	}
	sound := make(map[*Scenario]bool)
	for bug := noBug + 1; bug < bugs; bug++ {
		t.Run(bug.String(), func(t *testing.T) {
			require.NotNil(t, in[bug], "no scenario looks for it")
			sc := *in[bug]
			if !sound[in[bug]] {
				if v := Explore(sc, enough).Violation; v != nil {
					t.Fatalf("there is one without the mistake already: %v", v)
				}
				sound[in[bug]] = true
			}
			sc.Bug = bug
			r := Explore(sc, enough)
			require.NotNil(t, r.Violation, "not found in %d states", r.States)
			require.NotEmpty(t, r.Violation.Trace)
			require.Equal(t, bug >= tryUntilFree, strings.HasPrefix(r.Violation.What, "live-lock"), r.Violation.What)
			t.Logf("%s, after %d moves", r.Violation.What, len(r.Violation.Trace))
			if testing.Verbose() && os.Getenv("FAIRPOOL_TRACES") != "" {
				t.Log(r.Violation)
			}
		})
	}
}

// The inboxes rely on more than sync.Mutex promises: that TryLock fails only if
// somebody holds the lock or is about to. See the README.
func TestTryLockMustNotFailForNoReason(t *testing.T) {
	r := Explore(Scenario{Capacity: 1, Waiters: 2, Rounds: 1, Mutex: Documented}, enough)
	require.NotNil(t, r.Violation)
	require.Contains(t, r.Violation.What, "lost wake-up")
	t.Log(r.Violation)
}
