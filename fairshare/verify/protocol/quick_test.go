package protocol

import ("testing";"time")

func TestQuick(t *testing.T) {
	for _, sc := range []Scenario{
		{Name: "sem 3w 2s 3c", Capacity: 2, Waiters: 3, Cancels: 3, Rounds: 1},
		{Name: "sem 3w 2s 3c close", Capacity: 2, Waiters: 3, Cancels: 3, Rounds: 1, Actors: [2]actor{closer}},
		{Name: "pool 2w 0c cap1", Pool: true, Capacity: 1, Waiters: 2, Cancels: 0, Rounds: 1},
		{Name: "pool 2w 2c cap1", Pool: true, Capacity: 1, Waiters: 2, Cancels: 2, Rounds: 1},
		{Name: "pool 2w 2c cap2", Pool: true, Capacity: 2, Waiters: 2, Cancels: 2, Rounds: 1},
		{Name: "pool 2w 2c cap2 rounds 0", Pool: true, Capacity: 2, Waiters: 2, Cancels: 2, Rounds: 0},
		{Name: "pool 2w 2c cap2 rounds 4", Pool: true, Capacity: 2, Waiters: 2, Cancels: 2, Rounds: 4},
		{Name: "pool 2w 0c fail1 ", Pool: true, Capacity: 1, Waiters: 2, Cancels: 0, Failures: 1, Rounds: 1},
	} {
		start := time.Now()
		r := Explore(sc, 8_000_000)
		t.Log(sc.Name, r.States, r.Moves, r.Quiet, r.Ends, r.Depth, time.Since(start))
		if r.Violation != nil {
			t.Error(r.Violation)
		}
	}
}
