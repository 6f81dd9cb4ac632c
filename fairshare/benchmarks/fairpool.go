package main

import (
	"strconv"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// scheduler drives fairpool's scheduler the way package fairshare does, which
// includes that nobody looks at the clock while nobody waits: the time is 0
// then. semaphore_test.go checks that the real Semaphore, with its goroutines,
// decides the same.
type scheduler struct {
	hall  hall
	s     *sched.Scheduler
	names []string

	share           func(capacity, tenants int) int // nil: work-conserving
	capacity, count int                             // what the share in force answers
}

type ticket struct {
	sched.Waiter
	tenant *sched.Tenant
	since  time.Duration
}

func fairpool(cfg sched.Config, share func(capacity, tenants int) int) func(setting, hall) rule {
	return func(in setting, h hall) rule {
		cfg := cfg
		cfg.Capacity = in.capacity
		cfg.Default = sched.Share{Weight: 1}
		cfg.Shares = make(map[string]sched.Share)
		f := &scheduler{hall: h, share: share}
		for i, w := range in.weights {
			f.names = append(f.names, strconv.Itoa(i))
			if w != 1 {
				cfg.Shares[f.names[i]] = sched.Share{Weight: w}
			}
		}
		f.s = sched.New(cfg)
		f.reshare(0)
		return f
	}
}

// stamp is the time as fairshare.Line finds it. The first instant is not 0.
func (f *scheduler) stamp(now time.Duration) time.Duration {
	if f.s.Contended() {
		return now + 1
	}
	return 0
}

func (f *scheduler) ask(now time.Duration, r *request) {
	t := &ticket{since: f.stamp(now)}
	t.Owner = r
	r.ticket = t
	t.tenant = f.s.Tenant(t.since, f.names[r.tenant])
	if f.s.Available(t.tenant) {
		f.s.Grant(t.since, t.tenant)
		f.hall.grant(r)
	} else {
		f.s.Enqueue(now+1, t.tenant, &t.Waiter)
	}
	f.reshare(now)
}

func (f *scheduler) giveBack(now time.Duration, r *request) {
	stamp := f.stamp(now)
	t := r.ticket.(*ticket)
	f.s.Release(stamp, t.tenant, t.since)
	f.dispatch(stamp)
	f.reshare(now)
}

func (f *scheduler) giveUp(now time.Duration, r *request) {
	f.s.Cancel(now+1, &r.ticket.(*ticket).Waiter)
	f.reshare(now)
}

func (f *scheduler) resize(now time.Duration, capacity int) {
	stamp := f.stamp(now)
	f.s.Resize(stamp, capacity)
	f.dispatch(stamp)
	f.reshare(now)
}

func (f *scheduler) weigh(now time.Duration, tenant int, weight float64) {
	stamp := f.stamp(now)
	f.s.SetShare(stamp, f.names[tenant], sched.Share{Weight: weight})
	f.dispatch(stamp)
	f.reshare(now)
}

func (f *scheduler) dispatch(stamp time.Duration) {
	if f.s.Demand() == 0 {
		return
	}
	for w := f.s.Next(stamp); w != nil; w = f.s.Next(stamp) {
		r := w.Owner.(*request)
		r.ticket.(*ticket).since = stamp
		f.hall.grant(r)
	}
}

// reshare puts the strict share in force that the number of active tenants
// calls for.
func (f *scheduler) reshare(now time.Duration) {
	if f.share == nil {
		return
	}
	for f.capacity != f.s.Capacity() || f.count != max(1, f.s.Active()) {
		f.capacity, f.count = f.s.Capacity(), max(1, f.s.Active())
		stamp := f.stamp(now)
		f.s.SetLimit(stamp, max(1, f.share(f.capacity, f.count)))
		f.dispatch(stamp)
	}
}
