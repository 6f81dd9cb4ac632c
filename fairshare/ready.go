package fairshare

import "github.com/fairpool/fairpool/fairshare/sched"

// ready is the stack of slots that nobody holds, most recently used first, so
// that what is not needed grows idle. Where a tenant is to find its own again,
// the slots that one tenant held last are linked as well, from the Data of its
// record; and so are those that nobody has held yet.
type ready struct {
	hot            *Slot // the top of the stack, linked only when another comes on top
	newest, oldest *Slot
	unused         *Slot // the first of those that nobody has held
	len            int
	dedicated      bool // a slot serves one tenant only
	ownFirst       bool // a tenant gets its own before others
}

// OwnFirst has a tenant get the slot that it held last itself before the one that
// anybody held last. It is to be called before the first use.
func (l *Line) OwnFirst() { l.ready.ownFirst = true }

// linksOwn reports whether the slots of each tenant are linked.
func (r *ready) linksOwn() bool { return r.ownFirst || r.dedicated }

func (r *ready) push(s *Slot) {
	if r.hot != nil {
		r.link(r.hot)
	}
	r.hot, s.ready = s, true
	r.len++
}

func (r *ready) link(s *Slot) {
	s.older = r.newest
	if r.newest == nil {
		r.oldest = s
	} else {
		r.newest.newer = s
	}
	r.newest = s
	r.linkOwn(s)
}

// pushOldest puts s at the bottom.
func (r *ready) pushOldest(s *Slot) {
	if r.len == 0 {
		r.push(s)
		return
	}
	s.newer, s.ready = r.oldest, true
	if r.oldest == nil {
		r.newest = s
	} else {
		r.oldest.older = s
	}
	r.oldest = s
	r.linkOwn(s)
	r.len++
}

func (r *ready) linkOwn(s *Slot) {
	if !r.linksOwn() {
		return
	}
	first := r.own(s.tenant)
	if first != nil {
		s.nextOwn, first.prevOwn = first, s
	}
	r.setOwn(s.tenant, s)
}

func (r *ready) remove(s *Slot) {
	r.len--
	s.ready = false
	if s == r.hot {
		r.hot = nil
		return
	}
	if s.newer == nil {
		r.newest = s.older
	} else {
		s.newer.older = s.older
	}
	if s.older == nil {
		r.oldest = s.newer
	} else {
		s.older.newer = s.newer
	}
	r.unlinkOwn(s)
	s.newer, s.older = nil, nil
}

func (r *ready) unlinkOwn(s *Slot) {
	if !r.linksOwn() {
		return
	}
	if s.nextOwn != nil {
		s.nextOwn.prevOwn = s.prevOwn
	}
	if s.prevOwn != nil {
		s.prevOwn.nextOwn = s.nextOwn
	} else {
		r.setOwn(s.tenant, s.nextOwn)
	}
	s.nextOwn, s.prevOwn = nil, nil
}

// choose returns the slot that t, nil for a stranger, is to have: the last that
// anybody held, after the last that it held itself if that comes first; nil if
// there is none. If slots are dedicated, the slot of another is out of the
// question, and one that nobody has held yet will do.
func (r *ready) choose(t *sched.Tenant) *Slot {
	s := r.hot
	if s != nil && s.tenant == t {
		return s
	}
	if t != nil && r.linksOwn() {
		if own := ownReady(t); own != nil {
			return own
		}
	}
	switch {
	case s != nil && (!r.dedicated || s.tenant == nil):
		return s
	case r.dedicated:
		return r.unused
	}
	return r.newest
}

// after is the slot above s in the stack, nil for the top.
func (r *ready) after(s *Slot) *Slot {
	switch {
	case s == r.hot:
		return nil
	case s.newer != nil:
		return s.newer
	}
	return r.hot
}

// count is how many slots t may have of those that are dedicated.
func (r *ready) count(t *sched.Tenant) (n int) {
	if s := r.hot; s != nil && (s.tenant == t || s.tenant == nil) {
		n++
	}
	for s := ownReady(t); s != nil; s = s.nextOwn {
		n++
	}
	for s := r.unused; s != nil; s = s.nextOwn {
		n++
	}
	return n
}

// own is the first in the list of ready slots that t held last; t is nil for
// those that nobody held.
func (r *ready) own(t *sched.Tenant) *Slot {
	if t == nil {
		return r.unused
	}
	return ownReady(t)
}

func (r *ready) setOwn(t *sched.Tenant, s *Slot) {
	switch {
	case t == nil:
		r.unused = s
	case s == nil:
		t.Data = nil
	default:
		t.Data = s
	}
}

// ownReady is the ready slot that t held last, nil if there is none.
func ownReady(t *sched.Tenant) *Slot {
	own, _ := t.Data.(*Slot)
	return own
}
