package main

import (
	"container/list"
	"time"
)

// ordered is a rule that hands every free slot at once to a waiting tenant, the
// one that choose names. It looks at all of them each time, which is slow and
// plain.
type ordered struct {
	hall     hall
	free     int
	lines    []*line
	backlog  []*line // those with waiters, in no particular order
	choose   func(now time.Duration, backlog []*line) *line
	joined   func(now time.Duration, l *line) // is about to enter the backlog; nil: nothing
	left     func(l *line)                    // has left the backlog; nil: nothing
	changing func(now time.Duration, l *line) // the number of held slots; nil: nothing
}

// A line is one tenant and its waiters, first come first served.
type line struct {
	tenant  int
	weight  float64
	held    int
	waiters list.List // of *request
	index   int       // in backlog
}

func (l *line) first() *request { return l.waiters.Front().Value.(*request) }

// older breaks ties: whose first waiter has waited longest.
func (l *line) older(than *line) bool { return l.first().seq < than.first().seq }

func newOrdered(in setting, h hall) *ordered {
	o := &ordered{hall: h, free: in.capacity}
	for i, w := range in.weights {
		o.lines = append(o.lines, &line{tenant: i, weight: w})
	}
	return o
}

func (o *ordered) ask(now time.Duration, r *request) {
	l := o.lines[r.tenant]
	if l.waiters.Len() == 0 {
		if o.joined != nil {
			o.joined(now, l)
		}
		l.index = len(o.backlog)
		o.backlog = append(o.backlog, l)
	}
	r.ticket = l.waiters.PushBack(r)
	o.serve(now)
}

func (o *ordered) giveBack(now time.Duration, r *request) {
	l := o.lines[r.tenant]
	o.hold(now, l, -1)
	o.serve(now)
}

func (o *ordered) giveUp(_ time.Duration, r *request) { o.dequeue(o.lines[r.tenant], r) }

func (o *ordered) resize(now time.Duration, capacity int) {
	held := 0
	for _, l := range o.lines {
		held += l.held
	}
	o.free = capacity - held
	o.serve(now)
}

func (o *ordered) weigh(now time.Duration, tenant int, weight float64) {
	l := o.lines[tenant]
	if o.changing != nil {
		o.changing(now, l)
	}
	l.weight = weight
}

func (o *ordered) hold(now time.Duration, l *line, n int) {
	if o.changing != nil {
		o.changing(now, l)
	}
	l.held += n
	o.free -= n
}

func (o *ordered) dequeue(l *line, r *request) {
	l.waiters.Remove(r.ticket.(*list.Element))
	if l.waiters.Len() > 0 {
		return
	}
	last := len(o.backlog) - 1
	o.backlog[l.index] = o.backlog[last]
	o.backlog[l.index].index = l.index
	o.backlog = o.backlog[:last]
	if o.left != nil {
		o.left(l)
	}
}

func (o *ordered) serve(now time.Duration) {
	for o.free > 0 && len(o.backlog) > 0 {
		l := o.choose(now, o.backlog)
		r := l.first()
		o.hold(now, l, 1)
		o.dequeue(l, r)
		o.hall.grant(r)
	}
}

// startInUse is the order by what is in use: fewest held slots over weight.
func startInUse(in setting, h hall) rule {
	o := newOrdered(in, h)
	o.choose = func(_ time.Duration, backlog []*line) *line {
		return least(backlog, func(l *line) float64 { return float64(l.held) / l.weight })
	}
	return o
}

// startRoundRobin serves the tenants in turn, one request each.
func startRoundRobin(in setting, h hall) rule {
	o := newOrdered(in, h)
	n, last := len(o.lines), -1
	o.choose = func(_ time.Duration, backlog []*line) *line {
		l := least(backlog, func(l *line) float64 { return float64((l.tenant - last - 1 + n) % n) })
		last = l.tenant
		return l
	}
	return o
}

// startSlotTime is the order by slot-time received over weight, counted as it
// is used. A tenant that comes back is lifted to the least counter of those that
// wait, or if nobody waits to that of the last that did (Sheng et al., Fairness
// in Serving Large Language Models, OSDI 2024, algorithm 2).
func startSlotTime(in setting, h hall) rule {
	o := newOrdered(in, h)
	counters := make([]float64, len(o.lines))
	since := make([]time.Duration, len(o.lines))
	var last *line
	counter := func(now time.Duration, l *line) float64 {
		return counters[l.tenant] + float64(l.held)/l.weight*float64(now-since[l.tenant])
	}
	o.changing = func(now time.Duration, l *line) {
		counters[l.tenant], since[l.tenant] = counter(now, l), now
	}
	o.joined = func(now time.Duration, l *line) {
		from := last
		if len(o.backlog) > 0 {
			from = least(o.backlog, func(l *line) float64 { return counter(now, l) })
		}
		if from != nil {
			o.changing(now, l)
			counters[l.tenant] = max(counters[l.tenant], counter(now, from))
		}
	}
	o.left = func(l *line) { last = l }
	o.choose = func(now time.Duration, backlog []*line) *line {
		return least(backlog, func(l *line) float64 { return counter(now, l) })
	}
	return o
}

func least(lines []*line, key func(*line) float64) *line {
	best, low := lines[0], key(lines[0])
	for _, l := range lines[1:] {
		if k := key(l); k < low || k == low && l.waiters.Len() > 0 && best.waiters.Len() > 0 && l.older(best) {
			best, low = l, k
		}
	}
	return best
}
