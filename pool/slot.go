package pool

import (
	"sync"

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
	resource *puddle.Resource[*slot[T]]
	epoch    uint64
	leave    *sync.WaitGroup // done after the destructor, may be nil
}

// supply is the pool as its line sees it.
type supply[T any] struct{ p *Pool[T] }

func (s supply[T]) New() *fairshare.Slot { return nil }

func (s supply[T]) Short(r fairshare.Request) { s.p.growLocked(r) }

func (s supply[T]) Returned(returned *fairshare.Slot) {
	s.p.settleLocked(returned.Owner.(*slot[T]))
}

func (s supply[T]) Lacking() (fairshare.Reason, error) {
	if s.p.failing.err != nil {
		return fairshare.BuildFailing, s.p.failing.err
	}
	return fairshare.Building, nil
}
