package protocol

import ("testing";"time")

func TestQuick(t *testing.T) {
	for _, sc := range []Scenario{
		{Name: "sem 2w", Capacity: 1, Waiters: 2, Cancels: 2, Rounds: 1},
		{Name: "sem 2w close", Capacity: 1, Waiters: 2, Cancels: 2, Actors: [2]actor{closer}, Rounds: 1},
		{Name: "sem 3w 2s", Capacity: 2, Waiters: 3, Cancels: 0, Rounds: 1},
		{Name: "pool 2w", Pool: true, Capacity: 1, Waiters: 2, Cancels: 1, Rounds: 1},
		{Name: "pool 2w fail close", Pool: true, Capacity: 2, Waiters: 2, Cancels: 1, Failures: 1, Actors: [2]actor{closer}, Rounds: 1},
	} {
		start := time.Now()
		r := Explore(sc, 6_000_000)
		t.Log(sc.Name, r.States, r.Moves, r.Quiet, r.Ends, r.Depth, time.Since(start))
		if r.Violation != nil {
			t.Error(r.Violation)
		}
	}
}
