package protocol

import "strings"

// An actor is somebody other than the callers of Acquire, who does one thing at
// any time, or never.
type actor uint8

const (
	nobody    actor = iota
	closer          // Close
	shrinker        // Resize to one slot less
	grower          // Resize to one slot more
	suspender       // Suspend
	resumer         // Resume, after the Suspend
	impatient       // AcquireTimeout runs out for one of those that wait
	revoker         // Revoke, and the seizing when the grace is over
)

// A Scenario is who takes part.
type Scenario struct {
	Name     string
	Pool     bool // slots have to be built; else they cost nothing
	Capacity uint8
	Waiters  uint8
	Tries    uint8            // so many of the Waiters, the last ones, call TryAcquire
	Tenants  string           // of the Waiters, a letter each; "": each has its own
	Max      uint8            // most slots of a tenant, 0: no cap
	Headroom uint8            // last free slots for tenants that hold none
	Cancels  uint8            // so many of the Waiters, the first ones, may be cancelled
	Destroys bool             // a lease may end with Destroy
	Actors   [maxActors]actor // what else happens
	Failures uint8            // builds may fail so often
	Rounds   uint8            // maxRounds of the code
	Bug      Bug              // a mistake in the code; the zero value is none
	Mutex    Mutex            // what TryLock may do
	Plain    bool             // leave nothing out, see reduce.go
	Coarse   bool             // what is left in an inbox is seen to at once by somebody, see moves.atOnce

	quiet map[state]struct{} // if set: collects the quiet states, sorted
}

// A Mutex says when TryLock may fail although the lock is free.
type Mutex uint8

const (
	// Go is sync.Mutex as it is implemented, on hardware that orders a write
	// before a later read of the same goroutine if both are atomic: it fails
	// only if the lock is held or somebody in Lock is about to have it.
	Go Mutex = iota
	// Documented is sync.Mutex as the Go memory model has it: TryLock "may be
	// considered to be able to return false even when the mutex is unlocked".
	Documented
)

func (sc *Scenario) start() state {
	s := state{owner: none, capacity: sc.Capacity, failures: sc.Failures}
	for i := range s.threads {
		s.threads[i].slot = none
	}
	for i := range s.waiters {
		s.waiters[i].grant.slot = none
		switch {
		case uint8(i) >= sc.Waiters:
		case uint8(i) >= sc.Waiters-sc.Tries:
			s.threads[i].pc = tryAcquire
		default:
			s.threads[i].pc = acquire
		}
	}
	for i, a := range sc.Actors {
		if a != nobody {
			s.threads[firstActor+i].pc = act
		}
	}
	return s
}

// mayCancel reports whether the context of the waiter may end.
func (sc *Scenario) mayCancel(w uint8) bool { return w < sc.Cancels }

// revokes reports whether a lease may be revoked.
func (sc *Scenario) revokes() bool { return sc.Actors[0] == revoker || sc.Actors[1] == revoker }

// tenant is the number of the waiter's tenant, from 1; or 0 if that has no other
// callers, and so holds nothing while one waits.
func (sc *Scenario) tenant(w uint8) uint8 {
	if int(w) >= len(sc.Tenants) {
		return 0
	}
	name := sc.Tenants[w]
	if strings.IndexByte(sc.Tenants, name) == strings.LastIndexByte(sc.Tenants, name) {
		return 0
	}
	return name - 'a' + 1
}
