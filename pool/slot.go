package pool

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/puddle/v2"
)

// A slot is permit and resource in one. It is born with its resource, is
// either warm or leased, and dies with it. A cold slot, one without a
// resource, is no object at all: it is room below the capacity.
type slot[T any] struct {
	fairshare.Slot
	pool     *Pool[T]
	value    T
	number   uint64
	resource *puddle.Resource[*slot[T]]
	epoch    uint64          // the generation that it belongs to
	expires  time.Duration   // 0: never
	leave    *sync.WaitGroup // done after the destructor, may be nil

	origin     atomic.Pointer[origin]
	revocation atomic.Pointer[revocation]

	// The holder's, while the slot is leased.
	prepared bool   // it was, for somebody
	previous string // for whom
	lent     lent   // for Trace.Release

	// Written under the lock of the line. While the slot is leased, the first
	// is not, and the holder may read it.
	doubtful bool          // it is to be checked before it is of use
	trusted  time.Duration // when it was known to be well last
	uses     int

	unused    time.Duration // since when nobody has it
	retired   Retirement    // why it is dying; of a live one, why it is to die on return
	charged   bool          // it is dying, and its tenant pays for that
	replacing Retirement    // why the build of its successor is under way
	heir      *heir         // gets what is built in its place
	succeed   bool          // a successor is to be built whatever the demand
	leaked    bool          // its lease was reported
	nested    waits         // of its holder for another lease
	seen      sight
}

// lent says to whom a resource is leased, and since when.
type lent struct {
	tenant string
	since  time.Duration
}

func (p *Pool[T]) owner(g fairshare.Grant) *slot[T] {
	if s := g.Slot(); s != nil {
		return s.Owner.(*slot[T])
	}
	return nil
}

// supply is the pool as its line sees it.
type supply[T any] struct{ p *Pool[T] }

func (s supply[T]) New() *fairshare.Slot { return nil }

func (s supply[T]) Short(r fairshare.Request) {
	if s.p.roomLocked() || s.p.config.Tenancy.Isolation == Dedicated {
		s.p.growLocked()
	}
	if r != noRequest && s.p.refusesLocked(r) {
		s.p.failing.refused = true
		s.p.line.FailLocked(r, fairshare.BuildFailing, s.p.failing.err, s.p.pauseLocked())
	}
	if after := s.p.config.Reclaim.After; after > 0 {
		s.p.alarmLocked(s.p.line.NowLocked() + after)
	}
}

func (s supply[T]) Lacking() (fairshare.Reason, error) {
	if s.p.failing.err != nil {
		return fairshare.BuildFailing, s.p.failing.err
	}
	return fairshare.Building, nil
}

// watcher is the pool as its line sees it while something other than leasing
// may come next for a slot.
type watcher[T any] struct{ p *Pool[T] }

func (w watcher[T]) Taken(taken *fairshare.Slot) {
	s := taken.Owner.(*slot[T])
	s.uses++
	if w.p.config.Health.Check != nil {
		s.doubtful = w.p.line.NowLocked()-s.trusted > w.p.config.Health.CheckAfter
	}
	if after := w.p.config.Guard.LeakAfter; after > 0 {
		w.p.alarmLocked(w.p.line.NowLocked() + after)
	}
	w.p.refillLocked()
}

func (w watcher[T]) Returned(returned *fairshare.Slot) {
	w.p.returnedLocked(returned.Owner.(*slot[T]))
}
