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
// capacity, slots go as their permits return.
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

// A Permit is the right to one slot. The zero Permit is none. It may be copied:
// the first Release counts.
type Permit struct {
	grant Grant
}

// Release gives the slot back, straight to the next waiter if there is one.
// Further calls, on this permit or a copy, do nothing.
func (p Permit) Release() { p.grant.Release() }

// A Tenant is a tenant that has joined a Semaphore.
type Tenant struct {
	member *Member
}

// Acquire is Semaphore.Acquire for this tenant, without looking up its name.
func (t *Tenant) Acquire(ctx context.Context) (Permit, error) {
	g, err := t.member.Acquire(ctx)
	return Permit{g}, err
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
