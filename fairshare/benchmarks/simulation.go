package main

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// A simulation is one load under one rule, in virtual time: a list of events,
// each of which happens at once.
type simulation struct {
	load     load
	capacity int
	rule     rule
	record   *record

	now    time.Duration
	events eventQueue
	seq    uint64 // of events
	asked  uint64 // of requests
	fresh  int    // names used so far
	inUse  int
}

// run lets the tenants of l ask until the end of the load.
func run(l load, c contender, rec *record) {
	s := &simulation{load: l, capacity: l.capacity, record: rec}
	in := setting{capacity: l.capacity}
	for _, t := range l.tenants {
		in.weights = append(in.weights, t.weight)
	}
	for range l.names {
		in.weights = append(in.weights, 1)
	}
	s.rule = c.start(in, s)
	for _, r := range l.resizes {
		s.at(r.at, func(now time.Duration) {
			s.capacity = r.capacity
			s.record.resize(now, r.capacity)
			s.rule.(resizer).resize(now, r.capacity)
		})
	}
	for _, w := range l.weighed {
		s.at(w.at, func(now time.Duration) {
			if rule, ok := s.rule.(weigher); ok {
				rule.weigh(now, w.tenant, w.weight)
			}
		})
	}
	for i, t := range l.tenants {
		s.arrivals(i, t.arrivals)
		holds := rand.New(rand.NewPCG(t.seed, 0))
		for _, c := range t.crews {
			for w := range c.workers {
				s.at(c.from+time.Duration(w)*c.stagger, func(time.Duration) { s.work(i, c, holds) })
			}
		}
	}
	for len(s.events) > 0 && s.events[0].at <= l.until {
		e := heap.Pop(&s.events).(event)
		if e.at > s.now {
			s.record.pass(e.at)
			s.now = e.at
		}
		e.fn(e.at)
	}
	s.record.pass(l.until)
	if c, ok := s.rule.(closer); ok {
		c.close()
	}
}

// arrivals has the first of the given arrivals happen when it is due, and then
// the rest.
func (s *simulation) arrivals(tenant int, all []arrival) {
	if len(all) == 0 {
		return
	}
	a := all[0]
	s.at(a.at, func(time.Duration) {
		r := s.ask(tenant, a.hold, nil, nil)
		if a.patience > 0 && r.state == waiting {
			s.at(s.now+a.patience, func(time.Duration) { s.giveUp(r) })
		}
		s.arrivals(tenant, all[1:])
	})
}

// work is one worker, until its crew leaves.
func (s *simulation) work(tenant int, c crew, holds *rand.Rand) {
	if s.now >= c.until {
		return
	}
	again := func(time.Duration) { s.work(tenant, c, holds) }
	hold := s.load.tenants[tenant].hold(holds)
	var r *request
	if c.think == 0 {
		r = s.ask(tenant, hold, nil, again)
	} else {
		r = s.ask(tenant, hold, func(now time.Duration) { s.at(max(now, now+hold+c.think), again) }, nil)
	}
	if c.until != always && r.state == waiting {
		s.at(c.until, func(time.Duration) { s.giveUp(r) })
	}
}

// ask puts a request to the rule. It calls served when a slot is granted and
// then when it was given back, unless they are nil.
func (s *simulation) ask(tenant int, hold time.Duration, served, then func(time.Duration)) *request {
	s.asked++
	name := tenant
	if s.load.tenants[tenant].fresh {
		name = len(s.load.tenants) + s.fresh
		s.fresh++
	}
	r := &request{tenant: name, payer: tenant, seq: s.asked, asked: s.now, hold: hold, served: served, then: then}
	s.record.asked(r)
	s.rule.ask(s.now, r)
	return r
}

// grant carries out a grant.
func (s *simulation) grant(r *request) {
	r.state = held
	s.inUse++
	if s.inUse > s.capacity {
		s.record.excess++
	}
	s.record.granted(s.now, r)
	s.at(s.now+r.hold, func(time.Duration) { s.giveBack(r) })
	if r.served != nil {
		r.served(s.now)
	}
}

func (s *simulation) giveBack(r *request) {
	r.state = finished
	s.inUse--
	s.record.returned(s.now, r)
	s.rule.giveBack(s.now, r)
	if r.then != nil {
		r.then(s.now)
	}
}

func (s *simulation) giveUp(r *request) {
	if r.state == waiting {
		r.state = finished
		s.rule.giveUp(s.now, r)
	}
}

// at has fn happen at the given time.
func (s *simulation) at(t time.Duration, fn func(now time.Duration)) {
	s.seq++
	heap.Push(&s.events, event{t, s.seq, fn})
}

// An event happens at a time; those of the same time in the order in which
// they were set.
type event struct {
	at  time.Duration
	seq uint64
	fn  func(now time.Duration)
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(e any)   { *q = append(*q, e.(event)) }
func (q *eventQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = event{}
	*q = (*q)[:last]
	return e
}
