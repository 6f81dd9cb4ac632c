package main

import (
	"errors"
	"runtime"
	"sync"
)

// waiting is the heap of goroutines that wait for a slot, beyond that of as many
// that are blocked on a channel and the same context: what the pool keeps of a
// waiter, without the goroutine, its stack, and what the runtime and the
// context need to block it. The tenants are known beforehand.
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
	plain, err := w.blocked(func(m *member) {
		select {
		case <-shut:
		case <-m.ctx.Done():
		}
	}, func() { close(shut) })
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

// blocked is the size of the heap while a goroutine for each member is blocked
// in wait, until end.
func (w *waiting) blocked(wait func(*member), end func()) (bytes float64, err error) {
	var group sync.WaitGroup
	for i := range w.members {
		group.Go(func() { wait(&w.members[i]) })
	}
	err = settle(len(w.members))
	heap := heapSize()
	end()
	group.Wait()
	return heap, err
}

func (w *waiting) Close() {
	cancelAll(w.members)
	w.lender.Close()
}

// heapSize is the size of the heap after everything that can go has gone.
func heapSize() float64 {
	for range 3 { // what a sync.Pool keeps goes with the second collection
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
