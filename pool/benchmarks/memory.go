package main

import (
	"errors"
	"runtime"
	"sync"
)

// waiting is the memory of goroutines that wait for a slot, beyond that of as
// many that receive from a channel. The tenants are known beforehand.
type waiting struct {
	lender  lender
	slots   int
	members []member
}

func openWaiting(p peer, kind contextKind, slots, waiters, tenants int) (load, error) {
	l, err := p.openFull(slots)
	if err != nil {
		return nil, err
	}
	w := &waiting{l, slots, newMembers(waiters, tenants, kind)}
	for i := range min(waiters, tenants) {
		if err := l.Cycle(w.members[i].ctx, w.members[i].tenant); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *waiting) Round() (sample, error) {
	shut := make(chan struct{})
	plain, err := w.blocked(func(*member) { <-shut }, func() { close(shut) })
	if err != nil {
		return sample{}, err
	}
	open, err := holdAll(w.lender, w.slots)
	if err != nil {
		return sample{}, err
	}
	bytes, err := w.blocked(func(m *member) { m.err = w.lender.Cycle(m.ctx, m.tenant) }, open)
	n := len(w.members)
	return sample{each: (bytes - plain) / float64(n), ops: n}, errors.Join(err, failures(w.members))
}

// blocked is the size of the heap and the stacks while a goroutine for each
// member is blocked in wait, until end.
func (w *waiting) blocked(wait func(*member), end func()) (bytes float64, err error) {
	if err := startSmall(); err != nil {
		return 0, err
	}
	var group sync.WaitGroup
	for i := range w.members {
		group.Go(func() { wait(&w.members[i]) })
	}
	err = settle(len(w.members))
	heap, stacks := inMemory()
	end()
	group.Wait()
	return heap + stacks, err
}

func (w *waiting) Close() {
	for _, m := range w.members {
		m.cancel()
	}
	w.lender.Close()
}

// startSmall has new goroutines start with the smallest stack. It is as large
// as those that the last collection saw were on average.
func startSmall() error {
	const shallow = 512
	end := make(chan struct{})
	var group sync.WaitGroup
	for range shallow {
		group.Go(func() { <-end })
	}
	err := settle(shallow)
	inMemory()
	close(end)
	group.Wait()
	return err
}

// inMemory is the size of the heap and of the stacks after everything that can
// go has gone.
func inMemory() (heap, stacks float64) {
	for range 3 { // what a sync.Pool keeps goes with the second collection
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc), float64(m.StackInuse)
}
