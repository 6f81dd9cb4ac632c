package fleet

import (
	"maps"
	"math"
	"slices"
	"time"
)

// A State is what an engine knows of a fleet: the protocol itself, as plain
// data. Time is an argument, and each Sync one atomic step. The zero State
// knows nothing. It is not safe for concurrent use.
//
// The engines that keep it elsewhere do the same in their own language, and
// package conformance compares them with it step by step. All sums are of whole
// numbers, and all divisions in the same order, so that they agree to the bit.
type State struct {
	known    bool
	identity string
	terms    Terms
	wall     time.Time     // of the last step
	clock    time.Duration // that moves forward, and by little at a time
	learning time.Duration // until then; 0: no
	token    int64         // the greatest known
	used     int           // sum of all grants and quarantines
	due      time.Duration // nothing expires before

	processes  map[string]*process
	quarantine map[Order]*quarantined
	plan       plan
}

type process struct {
	name       string
	token, seq int64
	grant      int
	expires    time.Duration
	claims     []Claim
	rest       Claim
	phase      float64 // see plan
}

type quarantined struct {
	grant  int
	until  time.Duration
	asked  time.Duration // not to be fenced by another before
	fenced bool
}

// fenceOrders is how many grants a process is asked to fence at a time.
const fenceOrders = 4

// Sync is one step: a process renews its grant, attests what it keeps, and gets
// more if it is due and there is some. wall is the time of day in whole
// microseconds, and identity that of the engine, which changes when the engine
// may have lost what it knew. The request must be a valid one.
func (s *State) Sync(wall time.Time, identity string, r Request) Reply {
	s.wake(wall, identity, r)
	s.expire()
	if !s.agree(r.Terms) {
		return Reply{Status: Mismatch, Terms: s.terms}
	}
	p, status := s.admit(r)
	if status != OK {
		return Reply{Status: status, Terms: s.terms}
	}
	if r.Hold > p.grant && s.learning == 0 {
		s.learn() // a write of the engine is lost
	}
	s.used += r.Hold - p.grant
	p.grant, p.seq, p.expires = r.Hold, r.Seq, s.clock+s.terms.TTL
	p.claims, p.rest = r.Claims, r.Rest
	for _, o := range r.Fenced {
		if q := s.quarantine[o]; q != nil {
			q.fenced = true
		}
	}
	reply := Reply{Token: p.token, Quotas: make([]float64, len(r.Claims))}
	if r.Leave {
		s.dismiss(p)
	} else {
		s.grow(p, r, &reply)
		reply.Fence = s.orders()
	}
	if s.learning > 0 {
		reply.Learning = s.learning - s.clock
	}
	reply.Terms, reply.Used, reply.Processes = s.terms, s.used, len(s.processes)
	return reply
}

// wake brings the state up to the time and the engine.
func (s *State) wake(wall time.Time, identity string, r Request) {
	if !s.known {
		*s = State{
			known: true, identity: identity, terms: r.Terms, wall: wall, due: math.MaxInt64,
			processes: make(map[string]*process), quarantine: make(map[Order]*quarantined),
			plan: plan{made: -1},
		}
		if !r.Fresh {
			s.learn()
		}
		return
	}
	s.clock += max(0, min(wall.Sub(s.wall), s.terms.maxStep()))
	s.wall = wall
	if identity != s.identity {
		s.identity = identity
		s.learn()
	}
	if s.learning > 0 && s.clock >= s.learning {
		s.learning = 0
	}
}

// learn has nothing grow until every grant that the engine may have forgotten
// was either claimed or is over.
func (s *State) learn() { s.learning = s.clock + s.terms.TTL + s.terms.Quarantine }

// expire puts grants that were not renewed in quarantine, and ends what has
// been there for long enough.
func (s *State) expire() {
	if s.clock < s.due {
		return
	}
	s.due = math.MaxInt64
	for _, p := range s.processes {
		if p.expires <= s.clock {
			s.dismiss(p)
		} else {
			s.due = min(s.due, p.expires)
		}
	}
	for o, q := range s.quarantine {
		if q.until <= s.clock && (q.fenced || !s.terms.Fence) {
			s.used -= q.grant
			delete(s.quarantine, o)
		} else {
			s.due = min(s.due, max(q.until, s.clock))
		}
	}
}

// dismiss ends a grant. What its process may still have counts as used.
func (s *State) dismiss(p *process) {
	delete(s.processes, p.name)
	if p.grant > 0 {
		s.quarantine[Order{p.name, p.token}] = &quarantined{grant: p.grant, until: s.clock + s.terms.Quarantine}
		s.due = min(s.due, s.clock+s.terms.Quarantine)
	}
}

// agree adopts terms that are newer, and reports whether they are compatible
// with those in force.
func (s *State) agree(t Terms) bool {
	idle := len(s.processes) == 0 && len(s.quarantine) == 0 && s.learning == 0
	if s.terms.conflict(t) != "" && !(idle && t.Version > s.terms.Version) {
		return false
	}
	if t.Version > s.terms.Version {
		s.terms = t
		s.plan.made = -1
	}
	return true
}

// admit finds the grant that a request is about, or says why there is none.
func (s *State) admit(r Request) (*process, Status) {
	p := s.processes[r.Process]
	if r.Token == 0 {
		if p != nil && r.Seq <= p.seq {
			return nil, Stale
		}
		if p != nil {
			s.dismiss(p)
		}
		return s.enlist(r.Process, max(s.token+1, s.wall.UnixMicro())), OK
	}
	if r.Token > s.token { // the engine does not know what it has granted
		s.token = r.Token
		if s.learning == 0 {
			s.learn()
		}
	}
	switch {
	case p != nil && r.Token == p.token:
		if r.Seq <= p.seq {
			return nil, Stale
		}
		return p, OK
	case p != nil && (r.Token < p.token || s.learning == 0):
		return nil, Fenced
	case p != nil:
		s.dismiss(p)
	}
	o := Order{r.Process, r.Token}
	if q := s.quarantine[o]; q != nil {
		if s.terms.Fence {
			return nil, Fenced
		}
		delete(s.quarantine, o)
		p = s.enlist(r.Process, r.Token)
		p.grant = q.grant
		return p, OK
	}
	if s.learning == 0 {
		return nil, Expired
	}
	return s.enlist(r.Process, r.Token), OK
}

func (s *State) enlist(name string, token int64) *process {
	p := &process{name: name, token: token}
	s.processes[name] = p
	s.token = max(s.token, token)
	s.due = min(s.due, s.clock+s.terms.TTL)
	return p
}

// grow gives a process what it is due, as far as it is free. One that joins
// has to have its token first: if the reply is lost, nothing else is.
func (s *State) grow(p *process, r Request, reply *Reply) {
	s.replan()
	free := s.terms.Capacity - s.used
	reply.Target = s.plan.target(p, reply)
	if !s.plan.scarce && 10*free >= s.terms.Capacity {
		reply.Target = max(reply.Target, p.grant) // nobody misses what it has
	}
	reply.Target = min(reply.Target, r.Most, s.terms.Capacity)
	more := min(reply.Target-p.grant, free)
	if more > 0 && r.Token != 0 && s.learning == 0 {
		p.grant += more
		s.used += more
	}
	reply.Grant = p.grant
}

// orders picks grants to be fenced by the process that syncs. If that fails, it
// is another's turn after half a TTL.
func (s *State) orders() (orders []Order) {
	if !s.terms.Fence {
		return nil
	}
	for _, o := range slices.SortedFunc(maps.Keys(s.quarantine), Order.compare) {
		q := s.quarantine[o]
		if !q.fenced && q.asked <= s.clock && len(orders) < fenceOrders {
			q.asked = s.clock + (s.terms.TTL / 2).Truncate(time.Microsecond)
			orders = append(orders, o)
		}
	}
	return orders
}
