package sched

import (
	"slices"
	"time"
)

// The events of a dumb: each begins with begin and ends with end.

func (d *dumb) tenant(now time.Duration, name string) *dumbTenant {
	d.begin(now)
	t := d.find(name)
	if t == nil {
		share, named := d.Shares[name]
		if !named {
			share = d.Default
		}
		t = &dumbTenant{name: name, share: share, service: d.begun.level, left: d.clock}
		d.tenants = append(d.tenants, t)
	}
	d.end()
	return t
}

func (d *dumb) forget(t *dumbTenant) {
	i := slices.Index(d.tenants, t)
	d.tenants = slices.Delete(d.tenants, i, i+1)
}

func (d *dumb) enqueue(now time.Duration, t *dumbTenant, id *Waiter, n int) bool {
	if most := t.share.MaxWaiting; most > 0 && len(t.queue) >= most {
		return false
	}
	d.begin(now)
	d.seq++
	t.queue = append(t.queue, dumbWaiter{id: id, seq: d.seq, n: n})
	d.end()
	return true
}

func (d *dumb) requeue(now time.Duration, t *dumbTenant, id *Waiter, n int) {
	d.begin(now)
	d.seq++
	if d.collector == t {
		d.stop() // for what is no longer first
	}
	t.queue = append([]dumbWaiter{{id: id, seq: d.seq, n: n, again: true}}, t.queue...)
	d.end()
}

func (d *dumb) cancel(now time.Duration, t *dumbTenant, id *Waiter) {
	d.begin(now)
	if d.collector == t && t.queue[0].id == id {
		d.stop()
	}
	t.queue = slices.DeleteFunc(t.queue, func(w dumbWaiter) bool { return w.id == id })
	d.end()
}

func (d *dumb) peek(now time.Duration) *Waiter {
	d.begin(now)
	defer d.end()
	if t := d.best(); t != nil {
		return t.queue[0].id
	}
	return nil
}

// next grants the first waiter of t, or if t is nil of the best, what it asks for,
// if there are as many ready; else they are collected for it.
func (d *dumb) next(now time.Duration, t *dumbTenant, ready int) *Waiter {
	d.begin(now)
	defer d.end()
	d.giveUp(ready)
	if t == nil {
		t = d.best()
	}
	if t == nil {
		return nil
	}
	if w := t.queue[0]; !d.enough(t, w.n) || w.n > ready {
		d.collect(t, ready)
		return nil
	}
	return d.serve(t)
}

// giveUp ends a collecting that takes too long while others wait, or that began
// while nobody else did.
func (d *dumb) giveUp(ready int) {
	t := d.collector
	if t == nil || d.enough(t, t.queue[0].n) && t.queue[0].n <= ready {
		return
	}
	if d.contended && d.now >= d.until {
		d.contended = false
		t.queue[0].tries = min(t.queue[0].tries+1, 254)
	}
	if !d.contended && d.rivals(t) > 0 {
		d.stop()
	}
}

// first grants the first waiter of t what it asks for, out of turn.
func (d *dumb) first(now time.Duration, t *dumbTenant) *Waiter {
	d.begin(now)
	defer d.end()
	return d.serve(t)
}

func (d *dumb) serve(t *dumbTenant) *Waiter {
	d.forgo()
	if d.collector == t {
		d.stop()
	}
	w := t.queue[0]
	d.give(t, w.n)
	t.queue = t.queue[1:]
	return w.id
}

func (d *dumb) grant(now time.Duration, t *dumbTenant, n int) {
	d.begin(now)
	d.forgo()
	d.give(t, n)
	d.end()
}

// forgo is due before a slot is granted, which whoever is absent does not get.
func (d *dumb) forgo() {
	d.lapsed = nil
	d.raise()
}

func (d *dumb) give(t *dumbTenant, n int) {
	d.follow(t)
	t.charges = true
	if d.rivals(t) > 0 {
		d.charge(t, float64(n)*float64(time.Microsecond)/t.share.Weight)
	}
	t.held += n
}

// release ends a hold; took is how long it was as far as the caller knows, 0
// if it does not.
func (d *dumb) release(now time.Duration, t *dumbTenant, took time.Duration, n int) {
	d.begin(now)
	if took > 0 {
		d.seen = min(d.seen+1, 1024)
		d.mean += (float64(took) - d.mean) / float64(d.seen)
		step := (float64(took) - d.near) / float64(min(d.seen, 64))
		if d.seen > 1 && step > d.near {
			step = d.near
		}
		d.near += step
	}
	t.held -= n
	d.end()
}

func (d *dumb) join(now time.Duration, t *dumbTenant, by int) {
	d.begin(now)
	t.joined += by
	d.end()
}

// setShare keeps what t is ahead of V or behind it as slot-time.
func (d *dumb) setShare(now time.Duration, name string, share Share) {
	d.begin(now)
	d.Shares[name] = share
	if t := d.find(name); t != nil {
		was := t.share.Weight
		t.share = share
		if was != share.Weight {
			d.scale(t, was/share.Weight)
		}
	}
	d.end()
}

func (d *dumb) scale(t *dumbTenant, by float64) {
	t.service = wholeGrains(d.v + (t.service-d.v)*by)
	if t.present && d.backlogged(t) {
		d.lift(t)
	}
}

func (d *dumb) resize(now time.Duration, capacity int) {
	d.begin(now)
	d.Capacity = capacity
	d.end()
}

func (d *dumb) setLimit(now time.Duration, limit int) {
	d.begin(now)
	d.limit = limit
	d.end()
}
