// Package sync stands for the package of that name of the standard library, as
// far as fairshare uses it, where goroutines take turns.
package sync

import "github.com/fairpool/fairpool/fairshare/verify/interleave/turns"

// A Mutex is a sync.Mutex.
type Mutex struct{ locked bool }

func (m *Mutex) free() bool { return !m.locked }

// Lock locks m, when it is free.
func (m *Mutex) Lock() {
	turns.Await("locks", m.free)
	m.locked = true
}

// TryLock locks m if it is free. It may fail even so, as the memory model has it;
// that it does counts as an interruption.
func (m *Mutex) TryLock() bool {
	turns.Point("tries to lock")
	if m.locked || turns.Interrupt() {
		return false
	}
	m.locked = true
	return true
}

// Unlock unlocks m.
func (m *Mutex) Unlock() {
	turns.Point("unlocks")
	if !m.locked {
		turns.Fail("unlock of an unlocked mutex")
	}
	m.locked = false
}

// A WaitGroup is a sync.WaitGroup.
type WaitGroup struct{ n int }

func (g *WaitGroup) zero() bool { return g.n == 0 }

// Add adds to the counter.
func (g *WaitGroup) Add(n int) { g.n += n }

// Done takes one off the counter.
func (g *WaitGroup) Done() {
	turns.Point("is done")
	g.n--
}

// Go calls fn in a goroutine of its own, and counts it.
func (g *WaitGroup) Go(fn func()) {
	g.Add(1)
	turns.Go("one of a group", func() {
		defer g.Done()
		fn()
	})
}

// Wait waits until the counter is zero.
func (g *WaitGroup) Wait() { turns.Await("waits for a group", g.zero) }

// A Pool is a sync.Pool that keeps everything and gives what it got last, so
// that whoever keeps what it has put back is found out soon.
type Pool struct {
	New  func() any
	free []any
}

// Get takes one out, or makes one.
func (p *Pool) Get() any {
	n := len(p.free)
	if n == 0 {
		return p.New()
	}
	x := p.free[n-1]
	p.free = p.free[:n-1]
	return x
}

// Put puts one in.
func (p *Pool) Put(x any) { p.free = append(p.free, x) }
