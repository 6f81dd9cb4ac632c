package sched

import (
	"iter"
	"math"
	"time"
)

// Capacity and Headroom are settings, InUse and Waiting totals; Active is the
// number of tenants that hold, wait or are joined.
func (s *Scheduler) Capacity() int { return s.capacity }
func (s *Scheduler) Headroom() int { return s.headroom }
func (s *Scheduler) InUse() int    { return s.inUse }
func (s *Scheduler) Waiting() int  { return s.waiting }
func (s *Scheduler) Active() int   { return s.active }

// Granted, Rejected and Canceled count since the start, over all tenants. See
// Uncount.
func (s *Scheduler) Granted() uint64  { return s.granted }
func (s *Scheduler) Rejected() uint64 { return s.rejected }
func (s *Scheduler) Canceled() uint64 { return s.canceled }

// Horizon is R as it is now.
func (s *Scheduler) Horizon() time.Duration { return s.horizon.value() }

// Tenants yields every tenant that is known, in the order in which they came.
func (s *Scheduler) Tenants() iter.Seq[*Tenant] {
	return func(yield func(*Tenant) bool) {
		for t := s.known.first; t != nil; t = t.next {
			if !yield(t) {
				return
			}
		}
	}
}

// Queued yields the tenants that have waiters, in no particular order.
func (s *Scheduler) Queued() iter.Seq[*Tenant] {
	return func(yield func(*Tenant) bool) {
		for _, q := range s.queues {
			if !yield(q.tenant) {
				return
			}
		}
	}
}

// Waiter returns any of the waiters, nil if there is none.
func (s *Scheduler) Waiter() *Waiter {
	if len(s.queues) == 0 {
		return nil
	}
	return s.queues[0].tenant.first
}

// Known is the number of tenants that Tenants yields.
func (s *Scheduler) Known() int { return len(s.tenants) }

// A Status is what the scheduler knows of one tenant.
type Status struct {
	Share    Share
	Cap      int           // most slots it may hold now; 0: no cap
	Joined   bool          // by Join
	Service  time.Duration // slot-time over weight that it was charged
	Debt     time.Duration // service ahead of the backlogged tenants; negative: credit
	Oldest   time.Duration // how long its first waiter has waited
	Granted  uint64
	Rejected uint64
	Canceled uint64
}

// Status returns the status of t at the given time.
func (s *Scheduler) Status(now time.Duration, t *Tenant) (status Status) {
	for _, status = range s.Statuses(now, []*Tenant{t}) {
	}
	return status
}

// Statuses yields those of the given tenants that are known, and what is known of
// them at the given time. It looks at the classes once, however many they are.
func (s *Scheduler) Statuses(now time.Duration, of []*Tenant) iter.Seq2[*Tenant, Status] {
	return func(yield func(*Tenant, Status) bool) {
		s.advance(now)
		v := s.highest()
		level := s.levelAbove(v)
		for _, t := range of {
			if s.tenants[t.name] == t && !yield(t, s.status(now, t, v, level)) {
				return
			}
		}
	}
}

func (s *Scheduler) status(now time.Duration, t *Tenant, v, level float64) Status {
	service := s.service(t)
	if t.away() {
		service = s.arrival(t, level)
	}
	st := Status{
		Share:    *t.share,
		Cap:      s.cap(t),
		Joined:   t.joined > 0,
		Service:  duration(s.charged(t)),
		Debt:     duration(service - v),
		Granted:  t.grants(),
		Rejected: t.rejected,
		Canceled: t.canceled,
	}
	if st.Cap == math.MaxInt {
		st.Cap = 0
	}
	if t.first != nil {
		st.Oldest = max(0, now-t.first.since)
	}
	return st
}

// charged is the part of the service of t that was charged, rather than given
// with its start or a lift.
func (s *Scheduler) charged(t *Tenant) float64 {
	return s.service(t) - t.origin
}

// duration is the given number of nanoseconds, or the nearest that there is.
func duration(ns float64) time.Duration {
	switch {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	}
	return time.Duration(ns)
}
