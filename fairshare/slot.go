package fairshare

import (
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// A Slot is what a Line hands out, for one grant after the other. It may be a
// part of the record in which the Supply keeps what belongs to it.
type Slot struct {
	// Owner leads from the slot to the record that it is part of.
	Owner any

	generation atomic.Uint64 // of the grant; the end of one starts the next
	granted    uint64        // the generation of the latest grant
	tenant     *sched.Tenant // that it was granted to, or nil
	before     *sched.Tenant // that it was granted to before, or nil
	since      time.Duration // when the grant began, 0: nobody looked
	next       *Slot         // in line.returns
	line       *Line
	cut        uint64 // the generation of the latest grant that was asked back, see OverdueLocked
	at         int    // index in line.slots plus 1, 0: not one of the line's
	more       int32  // slots that it stands for beyond one, where they are lumped together

	accepted         atomic.Uint64 // one more than the generation of the latest grant that was
	handed           bool          // the latest grant counts once it is accepted
	charged          bool          // it is no hold, but a charge
	ready            bool          // so that these are set:
	newer, older     *Slot
	prevOwn, nextOwn *Slot
}

func (s *Slot) link() **Slot { return &s.next }

func (s *Slot) grant() Grant { return Grant{s, s.generation.Load()} }

// GrantLocked returns the grant of the slot, and whether there is one that is
// not finished.
func (s *Slot) GrantLocked() (Grant, bool) {
	g := Grant{s, s.granted}
	return g, s.generation.Load() == s.granted && !s.ready
}

// IsReadyLocked reports whether the slot is ready to be handed out.
func (s *Slot) IsReadyLocked() bool { return s.ready }

// TenantLocked returns the name of the tenant that holds the slot, or held it
// last; "" if nobody has yet.
func (s *Slot) TenantLocked() string {
	if s.tenant == nil {
		return ""
	}
	return s.tenant.Name()
}

// BeforeLocked returns the name of the tenant that held the slot before the one
// that TenantLocked names, and whether there was one.
func (s *Slot) BeforeLocked() (string, bool) {
	if s.before == nil {
		return "", false
	}
	return s.before.Name(), true
}

// SinceLocked returns when the slot was granted last, 0 if nobody looked at the
// clock, see Line.Time.
func (s *Slot) SinceLocked() time.Duration { return s.since }

// A Grant is the holding of a slot by one tenant, until it is finished. It may
// be copied; a copy that is kept cannot reach a later grant of the same slot.
// The zero Grant is a finished one.
type Grant struct {
	slot       *Slot
	generation uint64
}

// Slot returns the slot, nil if the grant is finished.
func (g Grant) Slot() *Slot {
	if g.slot == nil || g.slot.generation.Load() != g.generation {
		return nil
	}
	return g.slot
}

// Tenant returns the name of the tenant, "" if the grant is finished.
func (g Grant) Tenant() string {
	if g.Slot() == nil {
		return ""
	}
	g.slot.line.Lock() // the next grant of the slot writes the tenant
	defer g.slot.line.Unlock()
	if g.Slot() == nil {
		return ""
	}
	return g.slot.tenant.Name()
}

// slots is how many slots the grant is for, 0 if it is finished.
func (g Grant) slots() int {
	if g.Slot() == nil {
		return 0
	}
	g.slot.line.Lock() // the next grant of the slot writes the number
	defer g.slot.line.Unlock()
	if g.Slot() == nil {
		return 0
	}
	return 1 + int(g.slot.more)
}

// Release ends the grant and gives the slot back to its line: straight to the
// next waiter, or to the Watcher. If the grant is finished it does nothing.
func (g Grant) Release() {
	if s := g.Finish(); s != nil {
		s.Return()
	}
}

// Return is the rest of Grant.Release, for a caller that has finished the grant.
func (s *Slot) Return() { s.line.giveBack(s) }

// Finish ends the grant and returns its slot, which the caller hands to
// Line.ReleaseLocked or has return; nil if the grant was finished already.
func (g Grant) Finish() *Slot {
	if g.slot == nil || !g.slot.generation.CompareAndSwap(g.generation, g.generation+1) {
		return nil
	}
	return g.slot
}
