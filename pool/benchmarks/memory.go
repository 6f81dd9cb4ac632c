package main

import (
	"errors"
	"runtime"
	"sync"
)

// inMemory is the size of the heap and the stacks after everything that can go
// has gone.
func inMemory() float64 {
	for range 3 { // what a sync.Pool keeps goes with the second collection
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) + float64(m.StackInuse)
}

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

// blocked is what it takes to have a goroutine for each member block in wait,
// until end.
func (w *waiting) blocked(wait func(*member), end func()) (bytes float64, err error) {
	before := inMemory()
	var group sync.WaitGroup
	for i := range w.members {
		group.Go(func() { wait(&w.members[i]) })
	}
	err = settle(len(w.members))
	bytes = inMemory() - before
	end()
	group.Wait()
	return bytes, err
}

func (w *waiting) Close() {
	for _, m := range w.members {
		m.cancel()
	}
	w.lender.Close()
}

// remembered is the memory of tenants that held a slot once and went.
type remembered struct {
	open    func(slots int) (lender, error)
	tenants []string
}

func openRemembered(p peer, tenants int) (load, error) {
	return &remembered{p.open, tenantNames(tenants)}, nil
}

func (r *remembered) Round() (sample, error) {
	l, err := peer{open: r.open}.openFull(1)
	if err != nil {
		return sample{}, err
	}
	defer l.Close()
	ctx, cancel := background.new()
	defer cancel()
	before := inMemory()
	for _, name := range r.tenants {
		if err := l.Cycle(ctx, name); err != nil {
			return sample{}, err
		}
	}
	n := len(r.tenants)
	s := sample{each: (inMemory() - before) / float64(n), ops: n}
	runtime.KeepAlive(l)
	return s, nil
}

func (r *remembered) Close() {}
