package fairshare

import "github.com/fairpool/fairpool/fairshare/sched"

// ready is the stack of slots that nobody holds, most recently used first. The
// slots that one tenant held last are linked as well, from the Data of its
// record, so that a tenant finds its own again.
type ready struct {
	hot            *Slot // the top of the stack, linked only when another comes on top
	newest, oldest *Slot
	len            int
}

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
	if t := s.tenant; t != nil {
		if own := ownReady(t); own != nil {
			s.nextOwn, own.prevOwn = own, s
		}
		t.Data = s
	}
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
	if s.nextOwn != nil {
		s.nextOwn.prevOwn = s.prevOwn
	}
	if s.prevOwn != nil {
		s.prevOwn.nextOwn = s.nextOwn
	} else if s.tenant != nil {
		s.tenant.Data = nil
		if s.nextOwn != nil {
			s.tenant.Data = s.nextOwn
		}
	}
	s.newer, s.older, s.nextOwn, s.prevOwn = nil, nil, nil, nil
}

// take removes the slot that t is to have: the last that it held itself if
// that is ready, else the last that anybody held; nil if none is ready.
func (r *ready) take(t *sched.Tenant) *Slot {
	s := r.hot
	if s == nil || s.tenant != t {
		if own := ownReady(t); own != nil {
			s = own
		} else if s == nil {
			s = r.newest
		}
	}
	if s != nil {
		r.remove(s)
	}
	return s
}

// ownReady is the ready slot that t held last, nil if there is none.
func ownReady(t *sched.Tenant) *Slot {
	own, _ := t.Data.(*Slot)
	return own
}
