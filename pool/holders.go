package pool

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// A Holder is a lease that is out, seen from outside.
type Holder struct {
	Tenant   string
	Resource uint64 // its number: they are counted from 1 as they are built

	// Held is for how long. A pool that has no use for the time otherwise
	// reads no clock for a lease that nobody had to wait for; then it is for
	// how long as far as Holders has seen, 0 the first time.
	Held time.Duration

	Revoked bool   // it was asked back
	Stack   string // of the Acquire, with Guard.LeakAfter or DetectLost
}

// Holders yields the leases that are out when the loop begins, by the numbers
// of their resources.
func (p *Pool[T]) Holders() iter.Seq[Holder] {
	return func(yield func(Holder) bool) {
		for _, holder := range p.holders() {
			if !yield(holder) {
				return
			}
		}
	}
}

func (p *Pool[T]) holders() iter.Seq2[fairshare.Grant, Holder] {
	return func(yield func(fairshare.Grant, Holder) bool) {
		type held struct {
			grant  fairshare.Grant
			holder Holder
			origin *origin
		}
		var all []held
		p.line.Lock()
		for _, out := range p.line.SlotsLocked() {
			if g, ok := out.GrantLocked(); ok {
				s := out.Owner.(*slot[T])
				all = append(all, held{g, p.holderLocked(g, s), s.originOf(g)})
			}
		}
		p.line.Unlock()
		slices.SortFunc(all, func(a, b held) int { return cmp.Compare(a.holder.Resource, b.holder.Resource) })
		for _, h := range all {
			if h.origin != nil {
				h.holder.Stack = h.origin.text()
			}
			if !yield(h.grant, h.holder) {
				return
			}
		}
	}
}

// holderLocked is the holder of s, without the stack, which takes a while.
func (p *Pool[T]) holderLocked(g fairshare.Grant, s *slot[T]) Holder {
	h := Holder{Tenant: s.TenantLocked(), Resource: s.number}
	since := s.SinceLocked()
	if since == 0 {
		if s.seen.grant != g {
			s.seen = sight{g, p.line.NowLocked()}
		}
		since = s.seen.at
	}
	h.Held = p.line.NowLocked() - since
	if r := s.revocation.Load(); r != nil && r.grant == g {
		h.Revoked = r.isRevoked()
	}
	return h
}

// A sight is when Holders saw a lease first.
type sight struct {
	grant fairshare.Grant
	at    time.Duration
}
