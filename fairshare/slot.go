package fairshare

import (
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// A Slot is what a Line hands out, and a part of the record in which its
// Supply keeps what belongs to the slot. It is used for one grant after the
// other.
type Slot struct {
	// Owner leads from the slot to the record that it is part of.
	Owner any

	generation atomic.Uint64 // of the grant; the end of one starts the next
	tenant     *sched.Tenant
	since      time.Duration // when the grant began, 0: nobody looked
	note       note
}

// TenantLocked returns the tenant that holds the slot or held it last, nil if
// nobody did.
func (s *Slot) TenantLocked() *sched.Tenant { return s.tenant }

func (s *Slot) grant() Grant {
	if s == nil {
		return Grant{}
	}
	return Grant{s, s.generation.Load()}
}

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
	if s := g.Slot(); s != nil {
		return s.tenant.Name()
	}
	return ""
}

// Finish ends the grant and returns its slot, which is then the caller's to
// hand back; nil if the grant was finished already.
func (g Grant) Finish() *Slot {
	if g.slot == nil || !g.slot.generation.CompareAndSwap(g.generation, g.generation+1) {
		return nil
	}
	return g.slot
}
