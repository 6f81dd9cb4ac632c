package pool

import (
	"sync"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/fairshare/sched"
	"github.com/jackc/puddle/v2"
)

// A slot is permit and resource in one. It is born with its resource, is
// either warm or leased, and dies with it. A cold slot, one without a
// resource, is no object at all: it is room below the capacity.
type slot[T any] struct {
	fairshare.Slot
	pool     *Pool[T]
	value    T
	resource *puddle.Resource[*slot[T]]
	epoch    uint64
	leave    *sync.WaitGroup // done after the destructor, may be nil

	newer, older     *slot[T] // while warm
	prevOwn, nextOwn *slot[T] // while warm: those of the same tenant
}

// warm is the stack of warm slots, most recently used first. A tenant's own
// warm slots are linked as well, from the Data of its record.
type warm[T any] struct {
	newest, oldest *slot[T]
	len            int
}

func (w *warm[T]) Ready() bool { return w.newest != nil }

func (w *warm[T]) push(s *slot[T]) {
	s.older = w.newest
	if w.newest == nil {
		w.oldest = s
	} else {
		w.newest.newer = s
	}
	w.newest = s
	w.len++
	if t := s.TenantLocked(); t != nil {
		if own := ownWarm[T](t); own != nil {
			s.nextOwn, own.prevOwn = own, s
		}
		t.Data = s
	}
}

func (w *warm[T]) remove(s *slot[T]) {
	if s.newer == nil {
		w.newest = s.older
	} else {
		s.newer.older = s.older
	}
	if s.older == nil {
		w.oldest = s.newer
	} else {
		s.older.newer = s.newer
	}
	w.len--
	if s.nextOwn != nil {
		s.nextOwn.prevOwn = s.prevOwn
	}
	if s.prevOwn != nil {
		s.prevOwn.nextOwn = s.nextOwn
	} else if t := s.TenantLocked(); t != nil {
		t.Data = nil
		if s.nextOwn != nil {
			t.Data = s.nextOwn
		}
	}
	s.newer, s.older, s.nextOwn, s.prevOwn = nil, nil, nil, nil
}

// ownWarm is the most recently used warm slot of t, nil if it has none.
func ownWarm[T any](t *sched.Tenant) *slot[T] {
	own, _ := t.Data.(*slot[T])
	return own
}

// supply is the pool as its line sees it.
type supply[T any] struct{ p *Pool[T] }

func (s supply[T]) Ready() bool { return s.p.warm.Ready() }

func (s supply[T]) Take(t *sched.Tenant) *fairshare.Slot {
	taken := ownWarm[T](t)
	if taken == nil {
		taken = s.p.warm.newest
	}
	s.p.warm.remove(taken)
	return &taken.Slot
}

func (s supply[T]) Return(returned *fairshare.Slot) {
	s.p.line.ReleaseLocked(returned)
	s.p.settleLocked(returned.Owner.(*slot[T]))
}

func (s supply[T]) Short(r fairshare.Request) { s.p.growLocked(r) }

func (s supply[T]) Lacking() (fairshare.Reason, error) {
	if s.p.failing.err != nil {
		return fairshare.BuildFailing, s.p.failing.err
	}
	return fairshare.Building, nil
}
