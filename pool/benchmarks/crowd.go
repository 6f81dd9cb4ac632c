package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A crowd is many goroutines on few slots. They are all blocked when the clock
// starts, and as there are always more of them than slots, every release has
// somebody to wake and every acquire waits: except those of a lender that lets
// whoever comes by have a released slot before one who waits. A goroutine does
// nothing with its slot, so all that is measured is the passing on.
type crowd struct {
	lender  lender
	slots   int
	cycles  int // of all together
	members []member
	order   []int // in which the members ask first
}

// A member is one goroutine of a crowd.
type member struct {
	tenant  string
	tenants []string // it asks for in turn, if there are more of them than members
	ctx     context.Context
	cancel  context.CancelFunc
	enter   chan struct{}
	cycles  int // of the round
	err     error
}

func openCrowd(p peer, kind contextKind, slots, goroutines, tenants, cycles int) (load, error) {
	l, err := p.openFull(slots)
	if err != nil {
		return nil, err
	}
	return newCrowd(l, kind, slots, goroutines, tenants, cycles), nil
}

func newCrowd(l lender, kind contextKind, slots, goroutines, tenants, cycles int) *crowd {
	return &crowd{
		lender:  l,
		slots:   slots,
		cycles:  cycles,
		members: newMembers(goroutines, tenants, kind),
		order:   rand.New(rand.NewPCG(3, 4)).Perm(goroutines),
	}
}

func newMembers(n, tenants int, kind contextKind) []member {
	names := tenantNames(tenants)
	members := make([]member, n)
	for i := range members {
		first := i % tenants
		members[i].tenant = names[first]
		members[i].tenants = names[first : first+1] // shared by those of one tenant
		for t := first + n; t < tenants; t += n {
			members[i].tenants = append(members[i].tenants[:len(members[i].tenants):len(members[i].tenants)], names[t])
		}
		members[i].ctx, members[i].cancel = kind.new()
		members[i].enter = make(chan struct{}, 1)
	}
	return members
}

func tenantNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("tenant-%d", i)
	}
	return names
}

func (c *crowd) Round() (sample, error) {
	open, err := holdAll(c.lender, c.slots)
	if err != nil {
		return sample{}, err
	}
	// What is left to do is common to all. With a part for each, those that
	// the runtime favours would be done early and leave the others uncontended.
	var left atomic.Int64
	left.Store(int64(c.cycles))
	var group sync.WaitGroup
	for i := range c.members {
		m := &c.members[i]
		group.Go(func() {
			<-m.enter
			m.cycles, m.err = m.work(c.lender, &left)
		})
	}
	err = settle(len(c.members))
	// Who asks after whom has nothing to do with where they are in memory. In
	// the order in which they were made, they would be kept so for ever by a
	// lender that is first come, first served, and be spared cache misses
	// that real requests are not.
	for _, i := range c.order {
		c.members[i].enter <- struct{}{}
	}
	err = errors.Join(err, settle(len(c.members)))
	// A lender that loses a wake-up leaves somebody waiting for ever.
	watch := time.AfterFunc(tooLong, func() { cancelAll(c.members) })
	defer watch.Stop()
	s := timed(c.cycles, func() {
		open()
		group.Wait()
	})
	for _, m := range c.members {
		if m.cycles == 0 {
			s.unserved += 1 / float64(len(c.members))
		}
	}
	return s, errors.Join(err, failures(c.members))
}

// work does cycles until none are left, and returns how many it did while there
// were others to do.
func (m *member) work(l lender, left *atomic.Int64) (cycles int, err error) {
	for next := 0; left.Add(-1) >= 0; next++ {
		if next == len(m.tenants) {
			next = 0
		}
		if err := l.Cycle(m.ctx, m.tenants[next]); err != nil {
			return cycles, err
		}
		if left.Load() > 0 {
			cycles++
		}
	}
	return cycles, nil
}

func failures(members []member) error {
	var errs []error
	for _, m := range members {
		if m.err != nil && len(errs) < 3 {
			errs = append(errs, m.err)
		}
	}
	return errors.Join(errs...)
}

// tooLong is when a round is given up: its waiters report that their contexts
// were cancelled.
var tooLong = time.Minute // less in tests

func cancelAll(members []member) {
	for _, m := range members {
		m.cancel()
	}
}

func (c *crowd) Close() {
	cancelAll(c.members)
	c.lender.Close()
}
