package fairshare

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// A strictShare keeps the scheduler's limit at what ShareFunc makes of the
// capacity and the number of active tenants. ShareFunc is the user's code and
// runs without the lock, so between a change and the answer the old limit
// holds. Whoever makes a change asks; an answer that another change has
// overtaken is dropped, for then somebody else is asking.
type strictShare struct {
	rule  func(capacity, tenants int) int
	least int

	known shareQuestion // what the limit in force answers
	err   error         // the panic of the last call, if it did
}

type shareQuestion struct{ capacity, tenants int }

func current(s *sched.Scheduler) shareQuestion {
	return shareQuestion{s.Capacity(), max(1, s.Active())}
}

// stale returns the question that is due, nil if the limit is up to date.
func (r *strictShare) stale(s *sched.Scheduler) *shareQuestion {
	if q := current(s); q != r.known {
		return &q
	}
	return nil
}

// answer puts the limit in force and reports whether it did.
func (r *strictShare) answer(s *sched.Scheduler, q shareQuestion, limit int, err error, now time.Duration) bool {
	if q != current(s) {
		return false
	}
	r.known, r.err = q, err
	s.SetLimit(now, limit)
	return true
}

// call runs the rule without the lock.
func (r *strictShare) call(q shareQuestion) (limit int, err error) {
	defer func() {
		if v := recover(); v != nil {
			limit, err = r.least, fmt.Errorf("fairshare: ShareFunc(%d, %d) panicked: %v\n%s", q.capacity, q.tenants, v, debug.Stack())
		}
	}()
	return min(max(r.rule(q.capacity, q.tenants), r.least), max(q.capacity, r.least)), nil
}
