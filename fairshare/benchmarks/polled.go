package main

import (
	"cmp"
	"slices"
	"time"
)

// poll is how often a waiter of the seed looks again.
const poll = 10 * time.Millisecond

// polled is the rule of aio-fairshare: a tenant may take a free slot while it
// holds fewer than max(1, capacity/active), where active are the tenants that
// hold or wait. A request that may not take one looks again every 10 ms, and
// whoever looks first wins. There is no order beyond that.
//
// Millions of looks come to nothing; so the next one that will not is worked
// out from the phases of the waiters, whenever something has changed.
type polled struct {
	hall     hall
	capacity int
	inUse    int
	active   int
	tenants  []*poller
	waiting  []*poller
	next     time.Duration // when a look is due
	changed  bool          // and watch has not been called yet
}

// A poller is one tenant, with its waiters by phase: the time of asking modulo
// the interval.
type poller struct {
	held    int
	index   int // in waiting
	waiters []*request
}

func startPolled(in setting, h hall) rule {
	p := &polled{hall: h, capacity: in.capacity, next: -1}
	for range in.weights {
		p.tenants = append(p.tenants, &poller{})
	}
	return p
}

// may reports whether the tenant may take another slot.
func (p *polled) may(t *poller) bool {
	return p.inUse < p.capacity && t.held < max(1, p.capacity/max(1, p.active))
}

func (p *polled) ask(now time.Duration, r *request) {
	t := p.tenants[r.tenant]
	if t.held+len(t.waiters) == 0 {
		p.active++
	}
	if p.may(t) {
		p.take(t, r)
		return
	}
	if len(t.waiters) == 0 {
		t.index = len(p.waiting)
		p.waiting = append(p.waiting, t)
	}
	i, _ := slices.BinarySearchFunc(t.waiters, r, byPhase)
	t.waiters = slices.Insert(t.waiters, i, r)
}

func byPhase(a, b *request) int {
	return cmp.Or(cmp.Compare(a.asked%poll, b.asked%poll), cmp.Compare(a.seq, b.seq))
}

func (p *polled) take(t *poller, r *request) {
	t.held++
	p.inUse++
	p.hall.grant(r)
}

func (p *polled) giveBack(now time.Duration, r *request) {
	t := p.tenants[r.tenant]
	t.held--
	p.inUse--
	p.leave(t)
	p.change(now)
}

func (p *polled) giveUp(now time.Duration, r *request) {
	t := p.tenants[r.tenant]
	p.drop(t, r)
	p.leave(t)
	p.change(now)
}

func (p *polled) resize(now time.Duration, capacity int) {
	p.capacity = capacity
	p.change(now)
}

func (p *polled) leave(t *poller) {
	if t.held+len(t.waiters) == 0 {
		p.active--
	}
}

func (p *polled) drop(t *poller, r *request) {
	i, _ := slices.BinarySearchFunc(t.waiters, r, byPhase)
	t.waiters = slices.Delete(t.waiters, i, i+1)
	if len(t.waiters) > 0 {
		return
	}
	last := len(p.waiting) - 1
	p.waiting[t.index] = p.waiting[last]
	p.waiting[t.index].index = t.index
	p.waiting = p.waiting[:last]
}

// look is the next poll of a waiter that may take a slot, if nothing changes.
func (p *polled) look(now time.Duration) (first *request, when time.Duration) {
	phase := now % poll
	for _, t := range p.waiting {
		if !p.may(t) {
			continue
		}
		i, _ := slices.BinarySearchFunc(t.waiters, phase, func(r *request, phase time.Duration) int {
			return cmp.Compare(r.asked%poll, phase)
		})
		r := t.waiters[i%len(t.waiters)]
		at := now + (r.asked%poll-phase+poll)%poll
		if first == nil || at < when || at == when && r.seq < first.seq {
			first, when = r, at
		}
	}
	return first, when
}

// change has watch called once all that happens now has happened. By then a
// worker that returned its slot may have taken it again.
func (p *polled) change(now time.Duration) {
	if p.changed {
		return
	}
	p.changed = true
	p.hall.at(now, func(now time.Duration) {
		p.changed = false
		p.watch(now)
	})
}

// watch arranges for the next look that may come to something.
func (p *polled) watch(now time.Duration) {
	if p.inUse >= p.capacity {
		return
	}
	r, when := p.look(now)
	if r == nil || when == p.next {
		return
	}
	p.next = when
	p.hall.at(when, func(now time.Duration) {
		if now != p.next {
			return // something changed, and another look came first
		}
		p.next = -1
		if r, when := p.look(now); r != nil && when == now {
			t := p.tenants[r.tenant]
			p.drop(t, r)
			p.take(t, r)
		}
		p.watch(now)
	})
}
