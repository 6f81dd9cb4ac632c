package pool

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// ErrRevoked is the cause of the end of the context of a lease that is asked
// back, see Reclaim and Pool.Revoke.
var ErrRevoked = errors.New("pool: lease revoked")

// errEnded is the cause when the lease had ended already.
var errEnded = errors.New("pool: lease has ended")

// A revocation is the asking back of one lease, before and after it happens. It
// is made when somebody asks for it first, so that others cost nothing.
type revocation struct {
	grant fairshare.Grant

	mu       sync.Mutex
	cause    error         // nil: not revoked
	done     chan struct{} // nil: nobody asked for it
	contexts []*leaseContext
	room     [1]*leaseContext // for the first of them, Do needs no more
	timer    *time.Timer      // of the grace
	over     bool             // the slot has a later one
}

// revocation returns the revocation of the lease, nil if that has ended.
func (l Lease[T]) revocation() *revocation {
	for {
		s := l.grant.Slot()
		if s == nil {
			return nil
		}
		current := &s.Owner.(*slot[T]).revocation
		r := current.Load()
		if r != nil && r.grant == l.grant {
			return r
		}
		if l.grant.Slot() == nil {
			return nil // r may be that of a later lease
		}
		fresh := &revocation{grant: l.grant}
		fresh.contexts = fresh.room[:0]
		if current.CompareAndSwap(r, fresh) {
			if r != nil {
				r.end() // of a lease that has ended
			}
			return fresh
		}
	}
}

// revoke revokes and reports whether that is news.
func (r *revocation) revoke(cause error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cause != nil {
		return false
	}
	r.cause = cause
	if r.done != nil {
		close(r.done)
	}
	return true
}

// arm has fn called when the grace is over, unless the revocation has ended.
func (r *revocation) arm(grace time.Duration, fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.timer = time.AfterFunc(grace, fn)
	}
}

// end stops the timer. It is due when the slot has another revocation, so that
// there is one timer for each slot at most.
func (r *revocation) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	if r.timer != nil {
		r.timer.Stop()
	}
}

func (r *revocation) isRevoked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cause != nil
}

// tell ends the contexts of a lease that was revoked.
func (r *revocation) tell() {
	r.mu.Lock()
	contexts, cause := r.contexts, r.cause
	r.contexts = nil
	r.mu.Unlock()
	for _, c := range contexts {
		c.cancel(cause)
	}
}

// watch has c end with the revocation.
func (r *revocation) watch(c *leaseContext) {
	r.mu.Lock()
	cause := r.cause
	if cause == nil {
		r.contexts = append(r.contexts, c)
	}
	r.mu.Unlock()
	if cause != nil {
		c.cancel(cause)
	}
}

// forget is the opposite: a lease may see many contexts.
func (r *revocation) forget(c *leaseContext) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.contexts, c); i >= 0 {
		r.contexts = slices.Delete(r.contexts, i, i+1)
	}
}

// Revoked returns a channel that is closed when the lease is asked back, by
// Reclaim or Pool.Revoke, or has ended already. The holder has Reclaim.Grace to
// return it; then the destructor runs under it and the lease is dead.
func (l Lease[T]) Revoked() <-chan struct{} {
	r := l.revocation()
	if r == nil {
		return closedChannel
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = make(chan struct{})
		if r.cause != nil {
			close(r.done)
		}
	}
	return r.done
}

var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Revoke asks back the leases for which match returns true, and returns how
// many. Their holders have Reclaim.Grace to return them: Lease.Revoked is
// closed, and the context of Do or Lease.Context ends with a cause that wraps
// ErrRevoked and cause, which may be nil. It does not wait for them.
func (p *Pool[T]) Revoke(cause error, match func(Holder) bool) int {
	if cause == nil {
		cause = ErrRevoked
	} else if !errors.Is(cause, ErrRevoked) {
		cause = fmt.Errorf("%w: %w", ErrRevoked, cause)
	}
	n := 0
	for g, holder := range p.holders() {
		if !match(holder) {
			continue
		}
		if r := (Lease[T]{grant: g}).revocation(); r != nil && r.revoke(cause) {
			n++
			p.announce(r, holder)
		}
	}
	return n
}

// reclaimLocked revokes what those below their share have waited for long
// enough. The revocations are still to be announced.
func (p *Pool[T]) reclaimLocked() map[*revocation]Holder {
	back, next := p.line.OverdueLocked(p.config.Reclaim.After, func(held *fairshare.Slot) bool {
		g, _ := held.GrantLocked()
		r := held.Owner.(*slot[T]).revocation.Load()
		return r != nil && r.grant == g && r.isRevoked()
	})
	p.alarmLocked(next)
	revoked := make(map[*revocation]Holder)
	for _, g := range back {
		s := p.owner(g)
		if s == nil {
			continue // it has just ended
		}
		if r := (Lease[T]{grant: g}).revocation(); r != nil && r.revoke(ErrRevoked) {
			revoked[r] = p.holderLocked(g, s)
		}
	}
	return revoked
}

// announce tells everybody of a revocation, and sees to it that it is
// respected.
func (p *Pool[T]) announce(r *revocation, holder Holder) {
	p.line.Lock()
	p.revocations++
	p.line.Unlock()
	r.arm(p.config.Reclaim.Grace, func() { p.seize(r) })
	r.tell()
	p.reports.log("lease revoked", "tenant", holder.Tenant, "resource", holder.Resource, "held", holder.Held, "cause", r.cause)
	if told := p.config.Trace.Revoke; told != nil {
		e := Event{Tenant: holder.Tenant, Resource: holder.Resource, Took: holder.Held, Err: r.cause}
		p.reports.tell(func() { p.guard("Trace", func() { told(e) }) })
	}
}

// seize ends a revoked lease that is still out when its time is up.
func (p *Pool[T]) seize(r *revocation) {
	Lease[T]{grant: r.grant}.destroy(Revoked)
}
