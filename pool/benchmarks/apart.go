package main

import (
	"errors"
	"sync"
	"sync/atomic"
)

// apart is several goroutines, fewer than there are slots, that acquire and
// release, each for a tenant of its own. None ever waits for a slot; what they
// have in common is the lender. The time is that of all together for each
// cycle: it falls as far as the processors share the work.
type apart struct {
	lender  lender
	cycles  int // of all together
	members []member
}

func openApart(p peer, kind contextKind, slots, goroutines, cycles int) (load, error) {
	l, err := p.openFull(slots)
	if err != nil {
		return nil, err
	}
	return &apart{l, cycles, newMembers(goroutines, goroutines, kind)}, nil
}

// chunk is how many cycles a goroutine takes on at a time, so that the counter
// of those left is no part of the cost.
const chunk = 64

func (a *apart) Round() (sample, error) {
	var left atomic.Int64
	left.Store(int64(a.cycles))
	var group sync.WaitGroup
	for i := range a.members {
		m := &a.members[i]
		group.Go(func() {
			<-m.enter
			m.err = m.workApart(a.lender, &left)
		})
	}
	err := settle(len(a.members))
	s := timed(a.cycles, func() {
		for i := range a.members {
			a.members[i].enter <- struct{}{}
		}
		group.Wait()
	})
	return s, errors.Join(err, failures(a.members))
}

func (m *member) workApart(l lender, left *atomic.Int64) error {
	for {
		rest := left.Add(-chunk) + chunk
		if rest <= 0 {
			return nil
		}
		for range min(rest, chunk) {
			if err := l.Cycle(m.ctx, m.tenant); err != nil {
				return err
			}
		}
	}
}

func (a *apart) Close() {
	cancelAll(a.members)
	a.lender.Close()
}
