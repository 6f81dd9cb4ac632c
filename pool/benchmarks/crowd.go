package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A crowd is many goroutines on few slots. They are all blocked when the clock
// starts, and as there are always more of them than slots, every release has
// somebody to wake and every acquire waits. A goroutine does nothing with its
// slot, so all that is measured is the passing on.
type crowd struct {
	lender  lender
	slots   int
	cycles  int // of each member
	members []member
}

// A member is one goroutine of a crowd.
type member struct {
	tenant string
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

func openCrowd(p peer, kind contextKind, slots, goroutines, tenants, cycles int) (load, error) {
	l, err := p.openFull(slots)
	if err != nil {
		return nil, err
	}
	c := &crowd{lender: l, slots: slots, cycles: cycles, members: newMembers(goroutines, tenants, kind)}
	return c, nil
}

func newMembers(n, tenants int, kind contextKind) []member {
	names := tenantNames(tenants)
	members := make([]member, n)
	for i := range members {
		members[i].tenant = names[i%tenants]
		members[i].ctx, members[i].cancel = kind.new()
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
	var group sync.WaitGroup
	for i := range c.members {
		m := &c.members[i]
		group.Go(func() { m.err = m.work(c.lender, c.cycles) })
	}
	err = settle(len(c.members))
	s := timed(len(c.members)*c.cycles, func() {
		open()
		group.Wait()
	})
	return s, errors.Join(err, failures(c.members))
}

func (m *member) work(l lender, cycles int) error {
	for range cycles {
		if err := l.Cycle(m.ctx, m.tenant); err != nil {
			return err
		}
	}
	return nil
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

func (c *crowd) Close() {
	for _, m := range c.members {
		m.cancel()
	}
	c.lender.Close()
}
