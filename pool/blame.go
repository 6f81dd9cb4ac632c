package pool

// Who pays for a resource that its holder gives back as broken? The holder may
// have broken it, or found it broken, or say so to make somebody else pay. The
// tenant that had it before may have returned it broken, or be framed. Nobody can
// know, but it shows: what a tenant breaks is found broken whoever has it next,
// and who cries wolf does so whoever had it before.

// A blame keeps account of that, from the first time that somebody gives back a
// resource at once. It is guarded by the lock of the line.
type blame struct {
	records map[string]*record
}

// maxRecords bounds the memory. With more names everything is forgotten.
const maxRecords = 4096

// A record is how often the resources that a tenant left turned out to be broken,
// and those that it took from others.
type record struct {
	left, taken rate
	spared      bool // the last time that nothing spoke for either side
}

// A rate is the part of some recent events that were bad.
type rate struct{ bad, all int }

func (r *rate) add(bad bool) {
	if r.all++; bad {
		r.bad++
	}
	if r.all == 64 {
		r.all, r.bad = 32, r.bad/2
	}
}

// compare is negative if r is less than o, positive if it is greater.
func (r rate) compare(o rate) int { return r.bad*o.all - o.bad*r.all }

func (b *blame) active() bool { return len(b.records) > 0 }

func (b *blame) record(tenant string) *record {
	r := b.records[tenant]
	if r == nil {
		if b.records == nil || len(b.records) >= maxRecords {
			b.records = make(map[string]*record)
		}
		r = &record{}
		b.records[tenant] = r
	}
	return r
}

// used notes that a tenant had good use of a resource that was the other's.
func (b *blame) used(tenant, before string) {
	if r := b.records[before]; r != nil {
		r.left.add(false)
	}
	if r := b.records[tenant]; r != nil && tenant != before {
		r.taken.add(false)
	}
}

// broken notes that a tenant gave back at once a resource that was the other's,
// and reports whether the other is to pay: the one to which it happens more often
// does. If it is the same, they pay by turns.
func (b *blame) broken(tenant, before string) (otherPays bool) {
	other := b.record(before)
	other.left.add(true)
	if tenant == before {
		return false
	}
	own := b.record(tenant)
	own.taken.add(true)
	switch c := other.left.compare(own.taken); {
	case c != 0:
		return c > 0
	default:
		other.spared = !other.spared
		return !other.spared
	}
}

// atOnce is the part of the mean lease within which a resource is given back by
// somebody who did not use it.
const atOnce = 10

// usedLocked notes the end of a lease whose resource was of use.
func (p *Pool[T]) usedLocked(s *slot[T]) {
	if !p.blame.active() {
		return
	}
	if before, ok := s.BeforeLocked(); ok && !p.atOnceLocked(s) {
		p.blame.used(s.TenantLocked(), before)
	}
}

// billLocked has somebody pay for the end of a slot whose lease has just ended,
// and for its successor: the tenant that held it or, if that gave it back at once,
// maybe the one before.
func (p *Pool[T]) billLocked(s *slot[T], why Retirement) {
	s.charged = true
	before, ok := s.BeforeLocked()
	switch {
	case !ok:
	case why == PrepareFailed, (why == Destroyed || why == BadResource) && p.atOnceLocked(s):
		if p.blame.broken(s.TenantLocked(), before) {
			p.line.RechargeLocked(&s.Slot, before)
		}
		p.watchLocked()
	default:
		p.usedLocked(s)
	}
}

// atOnceLocked reports whether the lease of s was much shorter than others. Where
// nobody looked at the clock nobody waits, and it does not matter who pays.
func (p *Pool[T]) atOnceLocked(s *slot[T]) bool {
	since := s.SinceLocked()
	return since > 0 && (p.line.NowLocked()-since)*atOnce < p.line.MeanHoldLocked()
}
