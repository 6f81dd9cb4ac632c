package main

import (
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/fairshare/sched"
)

// A rule decides who gets the slots. It runs in virtual time: every call says
// what time it is, and time stands still until the call returns. It tells its
// hall whom it grants a slot, during a call or at a time that it asked for.
type rule interface {
	ask(now time.Duration, r *request)
	giveBack(now time.Duration, r *request)
	giveUp(now time.Duration, r *request) // r waits
}

// A resizer is a rule whose capacity can change.
type resizer interface {
	rule
	resize(now time.Duration, capacity int)
}

// A weigher is a rule that knows weights, which can change.
type weigher interface {
	rule
	weigh(now time.Duration, tenant int, weight float64)
}

// A closer is a rule that has something to clean up.
type closer interface{ close() }

// A hall is where a rule's decisions are carried out.
type hall interface {
	grant(r *request)
	at(t time.Duration, fn func(now time.Duration))
}

// A request is one request for a slot.
type request struct {
	tenant int    // as the rule knows it
	payer  int    // the tenant of the load that it counts for: the same, unless that is fresh
	seq    uint64 // in order of asking
	asked  time.Duration
	hold   time.Duration
	state  state
	served func(now time.Duration) // when a slot is granted; nil: nothing
	then   func(now time.Duration) // after it was given back; nil: nothing
	ticket any                     // of the rule
}

type state int

const (
	waiting state = iota
	held
	finished
)

// A setting is what a rule is told of the load beforehand.
type setting struct {
	capacity int
	weights  []float64
}

// A contender is a rule that takes part in the comparison.
type contender struct {
	name  string
	about string
	fixed bool // its capacity cannot change
	start func(setting, hall) rule
}

// ours is what a user of fairpool gets without setting anything.
const ours = "fairpool"

// fifo is the yardstick of the pictures.
const fifo = "FIFO (x/sync)"

var contenders = []contender{
	{name: ours, about: "the default: least service, projected one mean hold ahead",
		start: fairpool(sched.Config{}, nil)},
	{name: "fairpool Instant", about: "`Horizon: Instant`: fewest slots over weight, without memory",
		start: fairpool(sched.Config{Horizon: sched.Instant}, nil)},
	{name: "fairpool strict", about: "`ShareFunc: EqualShare`: never more than capacity/tenants each",
		start: fairpool(sched.Config{Strict: true}, fairshare.EqualShare)},
	{name: "fairpool headroom 1", about: "`Headroom: 1`: the last slot is for tenants that hold none",
		start: fairpool(sched.Config{Headroom: 1}, nil)},
	{name: fifo, about: "golang.org/x/sync/semaphore: whoever came first", fixed: true,
		start: startSemaphore},
	{name: "seed (10 ms polls)", about: "aio-fairshare: below max(1, capacity/active), whoever polls first",
		start: startPolled},
	{name: "in-use order", about: "fewest held over weight",
		start: startInUse},
	{name: "round robin", about: "each tenant in turn",
		start: startRoundRobin},
	{name: "slot-time (VTC)", about: "least slot-time over weight; counters lifted on return (OSDI 2024)",
		start: startSlotTime},
	{name: "Kubernetes APF", about: "k8s.io/apiserver's queueset, a queue for each tenant",
		start: startQueueSet},
}
