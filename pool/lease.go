package pool

// A Lease is the use of one resource by one tenant. It is a small value that
// may be copied; the first Release, Destroy or Hijack ends it, for all copies.
// A copy that is kept cannot reach a later lease of the same resource. The
// zero Lease is a finished one.
type Lease[T any] struct {
	slot       *slot[T]
	generation uint64
}

func lease[T any](s *slot[T], err error) (Lease[T], error) {
	if err != nil {
		return Lease[T]{}, err
	}
	return Lease[T]{s, s.generation.Load()}, nil
}

func (l Lease[T]) finished() bool {
	return l.slot == nil || l.slot.generation.Load() != l.generation
}

// finish ends the lease and reports whether this call did.
func (l Lease[T]) finish() bool {
	return l.slot != nil && l.slot.generation.CompareAndSwap(l.generation, l.generation+1)
}

// Value returns the resource. It panics if the lease has ended: the resource
// may be somebody else's by now.
func (l Lease[T]) Value() T {
	if l.finished() {
		panic("pool: Value of a lease that was released, destroyed or hijacked")
	}
	return l.slot.value
}

// Tenant returns the name of the tenant that the lease is for, "" once it has
// ended.
func (l Lease[T]) Tenant() string {
	if l.finished() {
		return ""
	}
	return l.slot.tenant.Name()
}

// Release gives the resource back, straight to the next waiter if there is
// one. If the lease has ended it does nothing.
func (l Lease[T]) Release() {
	if !l.finish() {
		return
	}
	p := l.slot.pool
	p.line.Lock()
	supply[T]{p}.Return(l.slot)
	p.line.Unlock()
}

// Destroy gives the resource back to be destroyed, because it is broken. It
// does not wait for the destructor. If the lease has ended it does nothing.
func (l Lease[T]) Destroy() {
	if !l.finish() {
		return
	}
	p := l.slot.pool
	p.line.Lock()
	p.line.ReturnLocked(l.slot.tenant, l.slot.since)
	p.retireLocked(l.slot)
	p.line.DispatchLocked()
	p.line.Unlock()
}

// Hijack takes the resource out of the pool: the caller owns it from now on,
// and the pool may build another. It panics if the lease has ended.
func (l Lease[T]) Hijack() T {
	if !l.finish() {
		panic("pool: Hijack of a lease that was released, destroyed or hijacked")
	}
	p := l.slot.pool
	l.slot.resource.Hijack()
	p.line.Lock()
	defer p.line.Unlock()
	p.line.ReturnLocked(l.slot.tenant, l.slot.since)
	p.live--
	p.hijacked++
	p.line.DispatchLocked()
	return l.slot.value
}
