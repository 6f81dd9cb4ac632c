package sched

import (
	"math"
	"slices"
	"time"
)

// A dumb is the rule of doc.go once more, written to be obviously right rather
// than fast: every tenant has its service in a plain field, each event looks at
// all tenants, and nothing is kept that could be worked out anew.
type dumb struct {
	Config
	limit int

	now     time.Duration
	clock   time.Duration // the time during which somebody was backlogged
	v       float64       // the greatest least service of the backlogged and of lapsed
	lapsed  *dumbTenant   // the least of those whose queues became empty since the last grant, unless it waits again
	begun   standing
	seq     uint64
	near    float64 // of the holding times, see r
	mean    float64 // of the holding times
	seen    int
	tenants []*dumbTenant

	// The request that free slots are collected for, nil if there is none.
	collector *dumbTenant
	contended bool
	until     time.Duration
	kept      int
	cost      float64
}

type dumbTenant struct {
	name   string
	share  Share
	held   int
	joined int
	queue  []dumbWaiter

	service float64       // S
	charged float64       // the part of S that was charged: S also rises by a lift
	present bool          // was backlogged when the last event was over
	charges bool          // was charged at least once
	left    time.Duration // what the clock showed when it came, or waited last
}

// A standing is what an event that moves tenants has to know of the state
// before.
type standing struct {
	level float64
	known float64 // the weights of those that were charged before
}

type dumbWaiter struct {
	id  *Waiter // its name, never looked into
	seq uint64
	n   int // slots that it asks for

	again bool // it had its turn already
	tries int  // how often slots were collected for it in vain
}

func newDumb(cfg Config) *dumb {
	shares := make(map[string]Share)
	for name, share := range cfg.Shares {
		shares[name] = share
	}
	cfg.Shares = shares
	return &dumb{Config: cfg, limit: cfg.Capacity}
}

// begin charges everybody for the time that has passed. Every event starts
// with it and finishes with end.
func (d *dumb) begin(now time.Duration) {
	elapsed := now - d.now
	if elapsed > 0 {
		d.now = now
		if slices.ContainsFunc(d.tenants, d.backlogged) {
			d.clock += elapsed
			if d.collector != nil && d.rivals(d.collector) > 0 {
				d.cost += float64(d.kept) * float64(elapsed)
			}
			for _, t := range d.tenants {
				d.charge(t, float64(t.held)/t.share.Weight*float64(elapsed))
			}
		}
	}
	d.raise()
	level, known := d.level()
	d.begun = standing{level, known}
}

// end lifts those that have become backlogged: all at once, so V is that of
// before. Those never charged keep their distance to the level.
func (d *dumb) end() {
	if d.collector != nil && !d.backlogged(d.collector) {
		d.stop()
	}
	for _, t := range d.tenants {
		if d.backlogged(t) && !t.present {
			d.follow(t)
			d.lift(t)
			if d.lapsed == t {
				d.lapsed = nil
			}
		}
	}
	for _, t := range d.tenants {
		if t.present && !d.backlogged(t) {
			t.left = d.clock
			if len(t.queue) == 0 && t.charges && (d.lapsed == nil || t.service < d.lapsed.service) {
				d.lapsed = t
			}
		}
		t.present = d.backlogged(t)
	}
	d.raise()
}

func (d *dumb) charge(t *dumbTenant, cost float64) {
	if d.Horizon == Instant {
		return
	}
	t.service += cost
	t.charged += cost
}

func (d *dumb) raise() {
	least := math.Inf(1)
	for _, t := range d.tenants {
		if d.backlogged(t) {
			least = min(least, t.service)
		}
	}
	if least < math.Inf(1) {
		if d.lapsed != nil {
			least = min(least, d.lapsed.service)
		}
		d.v = max(d.v, least)
	}
}

func (d *dumb) lift(t *dumbTenant) {
	t.service = max(t.service, d.v-float64(d.credit())/t.share.Weight)
}

// level is where the backlogged stand that were charged before, and their
// weights.
func (d *dumb) level() (level, weights float64) {
	sum := 0.0
	for _, t := range d.tenants {
		if d.backlogged(t) && t.charges {
			sum += t.share.Weight * (t.service - d.v)
			weights += t.share.Weight
		}
	}
	if weights == 0 {
		return wholeGrains(d.v), 0
	}
	return wholeGrains(d.v + max(0, sum/weights)), weights
}

func wholeGrains(service float64) float64 { return math.Floor(service*256) / 256 }

// follow has t, if it was never charged and does not wait, start at the level, or
// as far up to it as that can have risen since.
func (d *dumb) follow(t *dumbTenant) {
	if t.charges || t.present {
		return
	}
	start := d.begun.level
	if d.begun.known > 0 && d.Horizon != Instant {
		rise := 2 * float64(d.Capacity) * float64(d.clock-t.left) / d.begun.known
		start = min(start, wholeGrains(t.service+rise))
	}
	t.service = max(t.service, start)
}

func (d *dumb) backlogged(t *dumbTenant) bool {
	return len(t.queue) > 0 && d.within(t, t.queue[0].n)
}

// within reports whether t may hold n slots more. Those that it holds itself are
// not collected for it.
func (d *dumb) within(t *dumbTenant, n int) bool {
	return t.held+n <= d.cap(t) && (n == 1 || t.held+n <= d.Capacity)
}

// stop ends the collecting, and charges for it.
func (d *dumb) stop() {
	if d.collector != nil {
		d.charge(d.collector, d.cost/d.collector.share.Weight)
	}
	d.collector, d.contended, d.kept, d.cost = nil, false, 0, 0
}

// collect keeps the free slots for the first request of t.
func (d *dumb) collect(t *dumbTenant, ready int) {
	if d.collector != t {
		d.stop()
		patience := 16 * float64(d.meanHold())
		if d.Horizon == Instant {
			patience = 16 * d.mean
		}
		patience = max(patience, float64(10*time.Millisecond))
		for range t.queue[0].tries {
			patience *= 2
		}
		d.contended = d.rivals(t) > 0
		d.collector, d.until = t, d.now+time.Duration(min(patience, math.MaxInt64/4))
	}
	d.kept = min(ready, d.Capacity-d.inUse())
}

// passes reports whether t gets n slots although they are collected for another.
func (d *dumb) passes(t *dumbTenant, need float64, n int) bool {
	free := d.Capacity - d.inUse()
	return need < d.need(d.collector) || t.held == 0 && d.collector.held > 0 && n <= free && free <= d.Headroom
}

// rivals counts the backlogged tenants other than t.
func (d *dumb) rivals(t *dumbTenant) (n int) {
	for _, other := range d.tenants {
		if other != t && d.backlogged(other) {
			n++
		}
	}
	return n
}

func (d *dumb) cap(t *dumbTenant) int {
	most := math.MaxInt
	if t.share.Max > 0 {
		most = t.share.Max
	}
	if d.Strict {
		most = min(most, max(1, int(float64(d.limit)*t.share.Weight+1e-9)))
	}
	return most
}

// r is the horizon: the mean over the first releases, from the 64th on a
// moving one, which no single hold more than doubles.
func (d *dumb) r() time.Duration {
	if d.Horizon != 0 {
		return d.Horizon
	}
	return time.Duration(d.near)
}

func (d *dumb) credit() time.Duration {
	switch {
	case d.Horizon == Instant:
		return 0
	case d.Burst == 0:
		return 4 * d.meanHold()
	}
	return max(d.Burst, 2*d.meanHold())
}

func (d *dumb) meanHold() time.Duration {
	if d.Horizon != 0 {
		return d.Horizon
	}
	return time.Duration(d.mean)
}

// key is K.
func (d *dumb) key(t *dumbTenant) float64 {
	inUse := float64(t.held) / t.share.Weight
	if d.Horizon == Instant {
		return inUse
	}
	return t.service + float64(d.r())*inUse
}

// need comes before the key: how much a tenant has of its Min, 1 for enough.
func (d *dumb) need(t *dumbTenant) float64 {
	if len(t.queue) > 0 && t.queue[0].again {
		return -1
	}
	return d.needFor(t, t.queue[0].n)
}

// needFor is the need of t if it asks for n slots.
func (d *dumb) needFor(t *dumbTenant, n int) float64 {
	if t.held+n > t.share.Min {
		return 1
	}
	return float64(t.held) / float64(t.share.Min)
}

// eligible reports whether t may have n slots at once.
func (d *dumb) eligible(t *dumbTenant, n int) bool {
	return d.enough(t, n) && d.within(t, n) && (d.collector == nil || d.passes(t, d.needFor(t, n), n))
}

func (d *dumb) enough(t *dumbTenant, n int) bool {
	free := d.Capacity - d.inUse()
	return free >= n && (t.held == 0 || free-d.Headroom >= n)
}

// best is the tenant that is next, nil if none may have a slot.
func (d *dumb) best() *dumbTenant {
	var best *dumbTenant
	for _, t := range d.tenants {
		if d.backlogged(t) && d.enough(t, 1) && (best == nil || d.before(t, best)) {
			best = t
		}
	}
	if best != nil && d.collector != nil && !d.passes(best, d.need(best), best.queue[0].n) {
		return d.collector
	}
	return best
}

func (d *dumb) before(t, o *dumbTenant) bool {
	if d.need(t) != d.need(o) {
		return d.need(t) < d.need(o)
	}
	if d.key(t) != d.key(o) {
		return d.key(t) < d.key(o)
	}
	return t.queue[0].seq < o.queue[0].seq
}

func (d *dumb) inUse() (n int) {
	for _, t := range d.tenants {
		n += t.held
	}
	return n
}

func (d *dumb) waiting() (n int) {
	for _, t := range d.tenants {
		n += len(t.queue)
	}
	return n
}

func (d *dumb) active() (n int) {
	for _, t := range d.tenants {
		if t.held > 0 || len(t.queue) > 0 || t.joined > 0 {
			n++
		}
	}
	return n
}

// demand grants what may be granted beyond the headroom, in a copy, and counts
// one slot more for each that holds none then. Without headroom nothing but
// caps limits it.
func (d *dumb) demand() (n int) {
	if d.Headroom == 0 || d.large() {
		for _, t := range d.tenants {
			switch {
			case !d.backlogged(t):
			case d.Headroom == 0 || d.Capacity-d.inUse() > d.Headroom:
				n += d.grantable(t)
			case t.held == 0:
				n += t.queue[0].n
			}
		}
		return n
	}
	c := *d
	c.tenants = nil
	for _, t := range d.tenants {
		u := *t
		u.queue = slices.Clone(t.queue)
		c.tenants = append(c.tenants, &u)
	}
	for t := c.best(); t != nil && c.Capacity-c.inUse() > c.Headroom; t = c.best() {
		c.give(t, 1)
		t.queue = t.queue[1:]
		n++
	}
	for _, t := range c.tenants {
		if c.backlogged(t) && t.held == 0 {
			n++
		}
	}
	return n
}

// grantable is how many slots the waiters of t get, one after the other, before
// one does not fit in its cap.
func (d *dumb) grantable(t *dumbTenant) (n int) {
	for _, w := range t.queue {
		if t.held+n+w.n > d.cap(t) {
			break
		}
		n += w.n
	}
	return n
}

// large reports whether somebody waits for several slots.
func (d *dumb) large() bool {
	for _, t := range d.tenants {
		if t.wants() > len(t.queue) {
			return true
		}
	}
	return false
}

func (t *dumbTenant) wants() (n int) {
	for _, w := range t.queue {
		n += w.n
	}
	return n
}

// ahead counts the backlogged tenants that come before t.
func (d *dumb) ahead(t *dumbTenant) (n int) {
	for _, o := range d.tenants {
		if o != t && d.backlogged(o) && d.before(o, t) {
			n++
		}
	}
	return n
}

// place ranks the k-th place in the queue of t, the least first.
func (t *dumbTenant) place(k int) [2]float64 {
	return [2]float64{float64(k-1) / t.share.Weight, 1 / t.share.Weight}
}

// longest is the tenant whose last place ranks lowest.
func (d *dumb) longest() (longest *dumbTenant) {
	for _, t := range d.tenants {
		if len(t.queue) == 0 {
			continue
		}
		if longest != nil {
			a, b := t.place(len(t.queue)), longest.place(len(longest.queue))
			if c := slices.Compare(a[:], b[:]); c < 0 || c == 0 && t.last() < longest.last() {
				continue
			}
		}
		longest = t
	}
	return longest
}

// crowds reports whether t has to give up its last place to o.
func (d *dumb) crowds(t, o *dumbTenant) bool {
	a, b := t.place(len(t.queue)), o.place(len(o.queue)+1)
	return t != o && slices.Compare(a[:], b[:]) > 0
}

func (t *dumbTenant) last() uint64 { return t.queue[len(t.queue)-1].seq }

func (d *dumb) weights() (sum float64) {
	for _, t := range d.tenants {
		if d.backlogged(t) {
			sum += t.share.Weight
		}
	}
	return sum
}

// present is the weight of all that hold or wait, and how many slots the
// backlogged hold.
func (d *dumb) present() (weights float64, contending int) {
	for _, t := range d.tenants {
		if t.held > 0 || len(t.queue) > 0 {
			weights += t.share.Weight
		}
		if d.backlogged(t) {
			contending += t.held
		}
	}
	return weights, contending
}

func (d *dumb) find(name string) *dumbTenant {
	for _, t := range d.tenants {
		if t.name == name {
			return t
		}
	}
	return nil
}
