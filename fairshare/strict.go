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
	asked shareQuestion // what somebody is asking now
	err   error         // the panic of the last call, if it did
}

type shareQuestion struct{ capacity, tenants int }

func current(s *sched.Scheduler) shareQuestion {
	return shareQuestion{s.Capacity(), max(1, s.Active())}
}

// due returns the question that the caller has to ask, if there is one.
func (r *strictShare) due(s *sched.Scheduler) (q shareQuestion, ok bool) {
	q = current(s)
	if q == r.known || q == r.asked {
		return q, false
	}
	r.asked = q
	return q, true
}

// answer puts the limit in force and reports whether it did.
func (r *strictShare) answer(s *sched.Scheduler, q shareQuestion, limit int, err error, now time.Duration) bool {
	if q == r.asked {
		r.asked = shareQuestion{}
	}
	if q != current(s) {
		return false
	}
	r.known, r.err = q, err
	s.SetLimit(now, limit)
	return true
}

// isFinal reports whether the share of t is the greatest that it can have: the one
// in force for a single tenant.
func (r *strictShare) isFinal(s *sched.Scheduler, t *sched.Tenant) bool {
	others := s.Active()
	if t.Active() {
		others--
	}
	return others == 0 && r.known == current(s)
}

// reshare asks for a limit and puts it in force, even if the rule ends the
// goroutine.
func (l *Line) reshare(q shareQuestion) {
	limit, err := l.strict.least, error(nil)
	defer func() {
		l.Lock()
		if l.strict.answer(l.sched, q, limit, err, l.now) {
			l.failTooLargeLocked()
			l.DispatchLocked()
		}
		l.Unlock()
	}()
	limit, err = l.strict.call(q)
}

// call runs the rule without the lock.
func (r *strictShare) call(q shareQuestion) (limit int, err error) {
	defer func() {
		if v := recover(); v != nil {
			limit, err = r.least, &PanicError{
				Func: fmt.Sprintf("ShareFunc(%d, %d)", q.capacity, q.tenants), Value: v, Stack: string(debug.Stack()),
			}
		}
	}()
	return min(max(r.rule(q.capacity, q.tenants), r.least), max(q.capacity, r.least)), nil
}
