package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// A pick is the bare scheduler with backlogged tenants, a waiter each. All
// slots are in use; an operation releases one, puts its holder back in the
// queue, and has the scheduler choose who is next.
type pick struct {
	scheduler *sched.Scheduler
	now       time.Duration
	slots     []slot
	steps     []step
	picks     int // of a round
}

type slot struct {
	holder *sched.Waiter
	since  time.Duration
}

// A step is drawn beforehand: which slot is released, and how long after the
// one before.
type step struct {
	slot  int
	after time.Duration
}

var errNobodyNext = errors.New("the scheduler chose nobody although all wait")

func openPick(slots, tenants, picks int) (load, error) {
	p := &pick{
		scheduler: sched.New(sched.Config{Capacity: slots, Default: sched.Share{Weight: 1}}),
		now:       1,
		slots:     make([]slot, slots),
		steps:     make([]step, 1<<12),
		picks:     picks,
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range p.steps {
		p.steps[i] = step{rng.IntN(slots), time.Duration(rng.ExpFloat64() * float64(time.Millisecond))}
	}
	records := make([]*sched.Tenant, tenants)
	for i := range records {
		records[i] = p.scheduler.Tenant(p.now, fmt.Sprintf("tenant-%d", i))
	}
	// Whose turn it is has nothing to do with the order in memory.
	order := rng.Perm(tenants)
	for i := range p.slots {
		p.scheduler.Enqueue(p.now, records[order[i%tenants]], &sched.Waiter{})
		p.slots[i] = slot{p.scheduler.Next(p.now), p.now}
		if p.slots[i].holder == nil {
			return nil, errNobodyNext
		}
	}
	for _, i := range order {
		p.scheduler.Enqueue(p.now, records[i], &sched.Waiter{})
	}
	return p, nil
}

func (p *pick) Round() (s sample, err error) {
	s = timed(p.picks, func() {
		for i := range p.picks {
			step := p.steps[i%len(p.steps)]
			p.now += step.after
			slot := &p.slots[step.slot]
			tenant := slot.holder.Tenant()
			p.scheduler.Release(p.now, tenant, slot.since)
			p.scheduler.Enqueue(p.now, tenant, slot.holder)
			slot.holder, slot.since = p.scheduler.Next(p.now), p.now
			if slot.holder == nil {
				err = errNobodyNext
				return
			}
		}
	})
	return s, err
}

func (p *pick) Close() {}
