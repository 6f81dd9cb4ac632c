package pool

import (
	"context"
	"fmt"
	"sync"
)

// settleLocked decides what becomes of a live slot that nobody holds: the next
// waiter gets it, or it stays warm, or it is retired.
func (p *Pool[T]) settleLocked(s *slot[T]) {
	if p.closed || s.epoch != p.epoch || p.overLocked() {
		p.retireLocked(s)
		p.line.DispatchLocked()
	} else {
		p.line.PutLocked(&s.Slot)
	}
}

// overLocked reports whether more slots are alive than the capacity, which
// Resize may have lowered, has place for.
func (p *Pool[T]) overLocked() bool {
	return p.live > p.capacity
}

// retireLocked has the register destroy a slot that nobody holds. Its place is
// free once the destructor has returned.
func (p *Pool[T]) retireLocked(s *slot[T]) {
	p.line.DropLocked(&s.Slot)
	p.live--
	p.dying++
	s.resource.Destroy() // runs the destructor in a goroutine
}

// retireWarmLocked retires warm slots, the longest idle first, for as long as
// more says so. Each is added to leave, if there is one, until its destructor
// has returned.
func (p *Pool[T]) retireWarmLocked(more func() bool, leave *sync.WaitGroup) {
	for oldest := p.line.OldestReadyLocked(); oldest != nil && more(); oldest = p.line.OldestReadyLocked() {
		s := oldest.Owner.(*slot[T])
		if leave != nil {
			leave.Add(1)
			s.leave = leave
		}
		p.retireLocked(s)
	}
}

func always() bool { return true }

// destruct is the destructor that the register calls, in a goroutine of its own.
func (p *Pool[T]) destruct(s *slot[T]) {
	err := protect("Destructor", func() error {
		p.config.Destructor(s.value)
		return nil
	})
	p.line.Lock()
	p.dying--
	p.destroyed++
	if err != nil {
		p.destroyErr = err
		p.destroyFailures++
	}
	p.line.DispatchLocked()
	p.line.Unlock()
	if s.leave != nil {
		s.leave.Done()
	}
}

// Close ends every wait, and every Acquire from now on, with ErrClosed,
// destroys the warm resources and cancels the builds. It returns when the warm
// resources are destroyed and does not wait for leases: their resources are
// destroyed on return. Further calls return at once.
func (p *Pool[T]) Close() {
	if p.stop() {
		p.parting.Wait()
	}
}

// Shutdown is Close that also waits, until ctx ends, for the leases to return,
// the builds to end and every resource to be destroyed. If ctx ends first, it
// returns an error that wraps that of ctx and says what is left; the pool is
// closed all the same.
func (p *Pool[T]) Shutdown(ctx context.Context) error {
	p.stop()
	select {
	case <-p.gone:
		return nil
	case <-ctx.Done():
	}
	p.line.Lock()
	defer p.line.Unlock()
	if p.live+p.building+p.dying == 0 {
		return nil
	}
	return fmt.Errorf("pool: shutdown: %w with %d leases out, %d resources being built and %d being destroyed",
		ctx.Err(), p.live, p.building, p.dying)
}

// stop closes the pool and reports whether it was open.
func (p *Pool[T]) stop() bool {
	p.line.Lock()
	defer p.line.Unlock()
	if !p.line.CloseLocked() {
		return false
	}
	p.closed = true
	p.failing.end()
	p.retireWarmLocked(always, &p.parting)
	go func() {
		p.register.Close() // cancels the builds; waits for the last destructor
		close(p.gone)
	}()
	return true
}
