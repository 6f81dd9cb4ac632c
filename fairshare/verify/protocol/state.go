package protocol

// How much there is at most. The numbers are small on purpose: what goes wrong
// between goroutines goes wrong between few.
const (
	maxWaiters = 4
	maxSlots   = 3
	maxActors  = 2 // operators: a close, a timeout, a revocation...
	maxHelpers = 6 // goroutines that the code starts: builds, destructors, timers, serve
	maxThreads = maxWaiters + maxActors + maxHelpers

	firstActor  = maxWaiters
	firstHelper = maxWaiters + maxActors

	none = 0xff
)

// A set is one of waiters or of slots, a bit each.
type set uint8

func (s set) has(i uint8) bool { return s&(1<<i) != 0 }

func (s set) with(i uint8) set { return s | 1<<i }

func (s set) without(i uint8) set { return s &^ (1 << i) }

// swapped exchanges i and j.
func (s set) swapped(i, j uint8) set {
	if s.has(i) != s.has(j) {
		s ^= 1<<i | 1<<j
	}
	return s
}

func (s set) len() int {
	n := 0
	for ; s != 0; s &= s - 1 {
		n++
	}
	return n
}

// A thread is where a goroutine is, and the few local variables that matter.
type thread struct {
	pc    pc
	then  body  // what it is to do under the lock, once it has that
	after pc    // where it goes on when it has unlocked
	tells set   // waiters that it has to wake
	round uint8 // of looking at the inboxes again
	slot  uint8 // that it is about: held, or being returned
	gen   uint8 // of its grant
}

// A grant is a slot, and which of the grants of that slot it is.
type grant struct{ slot, gen uint8 }

// A waiter is one Acquire and its record.
type waiter struct {
	cancelled bool  // its context is done
	tokens    uint8 // sent on ready and not received
	failed    bool  // err is set
	grant     grant // none: no slot
}

// The whereabouts of a slot.
type place uint8

const (
	cold  place = iota // there is none
	ready              // to be granted
	held               // granted, and charged until it is put or dropped
	dying              // its destructor runs
)

type slot struct {
	place   place
	gen     uint8 // of the grant; the end of one starts the next
	charged bool  // dying at the expense of its last tenant
	tenant  uint8 // that is charged, 0: nobody, or one with a single caller
}

// A state is all that a Line, a Pool and the goroutines that use them have in
// their memory at an instant, as far as the protocol goes.
type state struct {
	threads [maxThreads]thread
	waiters [maxWaiters]waiter
	slots   [maxSlots]slot

	owner    uint8 // of the lock, none: nobody
	arrivals set   // of waiters
	returns  set   // of slots
	busy     bool

	// Under the lock.
	queue    set // waiters in the scheduler
	woken    set // waiters to be told by Unlock
	capacity uint8
	inUse    uint8
	closed   bool
	paused   bool

	// The same, of a pool.
	building uint8
	failures uint8 // that are still to come
	failing  bool
	timer    uint8 // of the backoff: its number, 0 if it is not set
	timers   uint8 // set so far

	probing bool
}

// live is the number of resources that are neither being built nor destroyed.
func (s *state) live() (n uint8) {
	for _, slot := range s.slots {
		if slot.place == ready || slot.place == held {
			n++
		}
	}
	return n
}

func (s *state) dying() (n uint8) {
	for _, slot := range s.slots {
		if slot.place == dying {
			n++
		}
	}
	return n
}

// current reports whether the grant is not finished.
func (s *state) current(g grant) bool { return g.slot != none && s.slots[g.slot].gen == g.gen }
