package fairshare

import (
	"context"
	"fmt"
	"iter"
	"math"
)

// A Semaphore bounds how many slots are held at once, and shares them fairly
// among tenants. All its methods may be called from any goroutine.
type Semaphore struct {
	line *Line
}

// NewSemaphore returns a semaphore of cfg.Capacity slots, or an error that
// names each wrong field of cfg and its value.
func NewSemaphore(cfg Config) (*Semaphore, error) {
	line, err := NewLine(cfg, permits{})
	if err != nil {
		return nil, err
	}
	line.lump = true
	return &Semaphore{line}, nil
}

// Acquire waits for a slot on behalf of the tenant, "" meaning the one that
// ctx carries (see WithTenant). It returns an *AcquireError if ctx ends first,
// the semaphore is closed, a queue is full, the wait lasts or would last too
// long, or there is no name where one is required (see Config); a ctx that is already done fails without waiting. The
// caller releases the permit.
func (s *Semaphore) Acquire(ctx context.Context, tenant string) (Permit, error) {
	if tenant == "" {
		tenant = TenantFrom(ctx)
	}
	g, err := s.line.Acquire(ctx, tenant)
	return Permit{g}, err
}

// TryAcquire takes a slot if one is free and the tenant may have it now. It
// does not overtake anybody: a slot stays free only if no waiter may have it.
func (s *Semaphore) TryAcquire(tenant string) (Permit, bool) {
	s.line.Lock()
	defer s.line.Unlock()
	g, ok := s.line.TryAcquireLocked(tenant)
	return Permit{g}, ok
}

// AcquireN is Acquire for n slots, 1 or more, all or none. The permit is for all of
// them. A request of more slots than the tenant can ever hold fails with
// ErrTooLarge, at once or as soon as a change of the capacity or of its share makes it
// so; AcquireError.Reason says which limit it is.
//
// A request of several slots waits in the tenant's queue like any other, and holds
// nothing while it waits. When it is its turn, the slots that come free are kept for
// it until there are enough; package sched says for how long. The tenant pays for
// that time as if it held them.
func (s *Semaphore) AcquireN(ctx context.Context, tenant string, n int) (Permit, error) {
	if tenant == "" {
		tenant = TenantFrom(ctx)
	}
	g, _, err := s.line.acquireN(ctx, tenant, nil, n)
	return Permit{g}, err
}

// TryAcquireN is TryAcquire for n slots, all or none.
func (s *Semaphore) TryAcquireN(tenant string, n int) (Permit, bool) {
	s.line.Lock()
	defer s.line.Unlock()
	g, _, ok := s.line.TryAcquireNLocked(tenant, n)
	return Permit{g}, ok
}

// Join makes the tenant present until Leave: it counts as active for strict
// shares also while it neither holds nor waits.
func (s *Semaphore) Join(tenant string) *Tenant {
	return &Tenant{s.line.Join(tenant)}
}

// SetShare changes the share of a tenant from now on, also while it holds and
// waits. It returns an error, and changes nothing, if the share is invalid or
// the Mins of all named tenants would exceed the capacity.
func (s *Semaphore) SetShare(tenant string, share Share) error {
	return s.line.SetShare(tenant, share)
}

// Resize sets the number of slots, 0 or more. It never revokes: beyond the new
// capacity, slots go as their permits return. Requests of more slots than there are
// now fail with ErrTooLarge, unless there are none.
func (s *Semaphore) Resize(capacity int) error {
	if capacity < 0 || capacity > math.MaxInt32 {
		return fmt.Errorf("fairshare: capacity is %d, must be between 0 and %d", capacity, math.MaxInt32)
	}
	s.line.Lock()
	defer s.line.Unlock()
	s.line.ResizeLocked(capacity)
	return nil
}

// Suspend has every Acquire wait, and none take a slot, until Resume. Permits
// that are out stay valid.
func (s *Semaphore) Suspend() { s.suspend(true) }

// Resume ends a Suspend, however often that was called.
func (s *Semaphore) Resume() { s.suspend(false) }

func (s *Semaphore) suspend(on bool) {
	s.line.Lock()
	defer s.line.Unlock()
	s.line.PauseLocked(on)
}

// Stats returns the totals.
func (s *Semaphore) Stats() Stats {
	s.line.Lock()
	defer s.line.Unlock()
	return s.line.StatsLocked()
}

// Tenants yields the tenants that are known, by name, as they are when the
// loop begins: the active ones and the departed ones still remembered.
func (s *Semaphore) Tenants() iter.Seq2[string, TenantStats] { return s.line.Tenants() }

// Close ends every wait, and every Acquire from now on, with ErrClosed. Permits
// that are out stay valid until they are released.
func (s *Semaphore) Close() {
	s.line.Lock()
	defer s.line.Unlock()
	s.line.CloseLocked()
}

// A Permit is the right to one slot, or to as many as were asked for. The zero
// Permit is none. It may be copied:
// the first Release counts.
type Permit struct {
	grant Grant
}

// Release gives its slots back, straight to the next waiter if there is one.
// Further calls, on this permit or a copy, do nothing.
func (p Permit) Release() { p.grant.Release() }

// Slots returns how many slots the permit is for, 0 once it was released.
func (p Permit) Slots() int { return p.grant.slots() }

// A Tenant is a tenant that has joined a Semaphore.
type Tenant struct {
	member *Member
}

// Acquire is Semaphore.Acquire for this tenant, without looking up its name.
func (t *Tenant) Acquire(ctx context.Context) (Permit, error) {
	g, err := t.member.Acquire(ctx)
	return Permit{g}, err
}

// AcquireN is Semaphore.AcquireN for this tenant.
func (t *Tenant) AcquireN(ctx context.Context, n int) (Permit, error) {
	g, _, err := t.member.acquireN(ctx, n)
	return Permit{g}, err
}

// TryAcquireN is Semaphore.TryAcquireN for this tenant.
func (t *Tenant) TryAcquireN(n int) (Permit, bool) {
	l := t.member.line
	l.Lock()
	defer l.Unlock()
	g, _, ok := l.TryAcquireNLocked(t.member.name, n)
	return Permit{g}, ok
}

// Leave ends the tenant's presence. Permits that it holds stay valid, and its
// waiters keep waiting. Further calls do nothing.
func (t *Tenant) Leave() { t.member.Leave() }

// permits supplies a Line with slots that cost nothing to make: how many may be
// out the scheduler knows.
type permits struct{}

func (permits) New() *Slot               { return &Slot{} }
func (permits) Short(Request)            {}
func (permits) Lacking() (Reason, error) { return Saturated, nil }
