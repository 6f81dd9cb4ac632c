package pool

import (
	"runtime"

	"github.com/fairpool/fairpool/fairshare"
)

// A Lease is the use of one resource by one tenant. It is a small value that
// may be copied; the first Release, Destroy or Hijack ends it, for all copies.
// A copy that is kept cannot reach a later lease of the same resource. The
// zero Lease is a finished one.
type Lease[T any] struct {
	grant fairshare.Grant
	token *token // of a lease whose end is more than that, else nil
}

// Value returns the resource. It panics if the lease has ended: the resource
// may be somebody else's by now. Reclaim and Pool.Revoke end a lease without its
// holder, who is safe from that panic with TryValue.
func (l Lease[T]) Value() T {
	value, ok := l.TryValue()
	if !ok {
		panic("pool: Value of a lease that was released, destroyed, hijacked or taken back")
	}
	return value
}

// TryValue returns the resource, and whether the lease goes on. If it has ended,
// the resource is the zero T.
func (l Lease[T]) TryValue() (T, bool) {
	s := l.grant.Slot()
	if s == nil {
		var none T
		return none, false
	}
	return s.Owner.(*slot[T]).value, true
}

// Tenant returns the name of the tenant that the lease is for, "" once it has
// ended.
func (l Lease[T]) Tenant() string { return l.grant.Tenant() }

// Release gives the resource back, straight to the next waiter if there is
// one. If the lease has ended it does nothing.
func (l Lease[T]) Release() {
	if l.token != nil {
		l.releaseTold()
		return
	}
	l.grant.Release()
}

func (l Lease[T]) releaseTold() {
	if s := l.finish(); s != nil {
		defer s.Return()
		l.tell(s)
	}
}

// Destroy gives the resource back to be destroyed, because it is broken. It
// does not wait for the destructor; the tenant is charged until that has
// returned and, if somebody waits for the place, another resource is built. If
// the lease has ended it does nothing.
func (l Lease[T]) Destroy() { l.destroy(Destroyed) }

func (l Lease[T]) destroy(why Retirement) {
	if s := l.finish(); s != nil {
		defer s.pool.takeBack(s, why)
		l.tell(s)
	}
}

// Hijack takes the resource out of the pool: the caller owns it from now on,
// and the pool may build another, for which the tenant is charged if somebody
// waits for it. It panics if the lease has ended. Where leases may be taken back
// use TryHijack.
func (l Lease[T]) Hijack() T {
	value, ok := l.TryHijack()
	if !ok {
		panic("pool: Hijack of a lease that was released, destroyed, hijacked or taken back")
	}
	return value
}

// TryHijack is Hijack, and reports whether the caller has got the resource. If the
// lease has ended it does nothing and returns the zero T.
func (l Lease[T]) TryHijack() (T, bool) {
	s := l.finish()
	if s == nil {
		var none T
		return none, false
	}
	p := s.pool
	told := false
	defer func() {
		if !told { // the hook called Goexit, and nobody gets the resource
			p.takeBack(s, Destroyed)
		}
	}()
	l.tell(s)
	told = true
	s.resource.Hijack()
	p.line.Lock()
	defer p.line.Unlock()
	p.endedLocked(s)
	p.line.ReleaseLocked(&s.Slot)
	p.removeLocked(s)
	p.hijacked++
	p.rebuildLocked(s)
	p.balanceLocked()
	return s.value, true
}

// finish ends the lease and returns its slot, nil if it had ended already.
func (l Lease[T]) finish() *slot[T] {
	s := l.grant.Finish()
	if l.token != nil {
		l.token.cleanup.Stop()
		runtime.KeepAlive(l.token) // else it might count as lost while it is finished
	}
	if s == nil {
		return nil
	}
	return s.Owner.(*slot[T])
}

// tell tells the Trace of the end of the lease, whose slot is s, by its holder.
func (l Lease[T]) tell(s *slot[T]) {
	release := s.pool.config.Trace.Release
	if release == nil || l.token == nil { // or it was taken back
		return
	}
	defer s.pool.reports.recovered("Trace")
	release(Event{Tenant: s.lent.tenant, Resource: s.number, Took: s.pool.line.Now() - s.lent.since})
}
