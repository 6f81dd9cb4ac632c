package pool

import (
	"context"
	"fmt"
)

// Close ends every wait, and every Acquire from now on, with ErrClosed,
// destroys the warm resources and cancels the builds and hooks. It returns when
// the warm resources are destroyed and does not wait for leases: their resources
// are destroyed on return. Further calls return at once.
func (p *Pool[T]) Close() {
	if p.stop() {
		p.parting.Wait()
	}
}

// Shutdown is Close that also waits, until ctx ends, for the leases to return,
// the builds to end and every resource to be destroyed; Stats shows how far it
// has got. If ctx ends first, it returns an error that wraps that of ctx and
// says what is left; the pool is closed all the same.
func (p *Pool[T]) Shutdown(ctx context.Context) error {
	p.stop()
	select {
	case <-p.gone:
		return nil
	case <-ctx.Done():
	}
	ended := ctx.Err()
	p.line.Lock()
	defer p.line.Unlock()
	if p.live+p.building+p.dying == 0 {
		return nil
	}
	return fmt.Errorf("pool: Shutdown: %w with %s out, %s being built and %d being destroyed",
		ended, count(p.leasedLocked(), "lease"), count(p.building, "resource"), p.dying)
}

// stop closes the pool and reports whether it was open.
func (p *Pool[T]) stop() bool {
	p.line.Lock()
	defer p.line.Unlock()
	if !p.line.CloseLocked() {
		return false
	}
	p.closed = true
	p.cancel()
	p.watchdog.close()
	p.failing.end()
	if p.alarm.timer != nil {
		p.alarm.timer.Stop()
	}
	p.watchLocked()
	p.retireWarmLocked(Stopped, always, &p.parting)
	p.news.tell()
	go func() {
		p.register.Close() // cancels the builds; waits for the last destructor
		close(p.gone)
	}()
	return true
}
