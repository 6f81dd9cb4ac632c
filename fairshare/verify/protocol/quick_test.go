package protocol

import (
	"testing"
	"time"
)

func TestQuick(t *testing.T) {
	for _, sc := range []Scenario{
		{Name: "pool 2w 2c cap2", Pool: true, Capacity: 2, Waiters: 2, Cancels: 2, Rounds: 1, Coarse: true},
		{Name: "pool 3w 3c cap2 close", Pool: true, Capacity: 2, Waiters: 3, Cancels: 3, Actors: [2]actor{closer}, Rounds: 1, Coarse: true},
		{Name: "pool 3w 3c cap2 close fail1", Pool: true, Capacity: 2, Waiters: 3, Cancels: 3, Actors: [2]actor{closer}, Failures: 1, Rounds: 1, Coarse: true},
		{Name: "pool 3w 3c cap2 close fail1 destroy", Pool: true, Capacity: 2, Waiters: 3, Cancels: 3, Actors: [2]actor{closer}, Failures: 1, Destroys: true, Rounds: 1, Coarse: true},
		{Name: "pool 3w 3c cap2 close revoke", Pool: true, Capacity: 2, Waiters: 3, Cancels: 3, Actors: [2]actor{closer, revoker}, Failures: 0, Rounds: 1, Coarse: true},
		{Name: "pool 3w 3c cap2 close timeout fail2 destroy", Pool: true, Capacity: 2, Waiters: 3, Cancels: 3, Actors: [2]actor{closer, impatient}, Failures: 2, Destroys: true, Rounds: 1, Coarse: true},
	} {
		start := time.Now()
		r := Explore(sc, 8_000_000)
		t.Log(sc.Name, r.States, r.Moves, r.Quiet, r.Ends, r.Depth, time.Since(start))
		if r.Violation != nil {
			t.Error(r.Violation)
		}
	}
}
