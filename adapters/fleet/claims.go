package fleet

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"github.com/fairpool/fairpool/fairshare"
)

// shares are the weights that a member has set in its limiter, in place of
// those that the user had given.
type shares struct {
	set map[string]override
}

type override struct {
	own    fairshare.Share // the user's
	weight float64         // in force instead
}

// own returns the share that the user gave a tenant. If the user has changed it
// since we did, that is the user's.
func (s *shares) own(tenant string, now fairshare.Share) fairshare.Share {
	o, ok := s.set[tenant]
	if !ok {
		return now
	}
	if now.Weight != o.weight {
		delete(s.set, tenant)
		return now
	}
	now.Weight = o.own.Weight
	return now
}

// claims lists what the tenants could use, the greatest claims first, beyond
// MaxClaims together as the rest; and the shares that users gave them.
func (s *shares) claims(tenants iter.Seq2[string, fairshare.TenantStats], most int) (claims []Claim, rest Claim, own map[string]fairshare.Share) {
	own = make(map[string]fairshare.Share)
	for tenant, t := range tenants {
		slots := t.Held + t.Waiting
		if t.Cap > 0 {
			slots = min(slots, max(t.Cap, t.Held))
		}
		share := s.own(tenant, t.Share)
		if slots > 0 {
			own[tenant] = share
			claims = append(claims, Claim{tenant, slots, max(1, int64(math.Round(share.Weight*1e6)))})
		}
	}
	trim(claims, most)
	slices.SortFunc(claims, func(a, b Claim) int {
		return cmp.Or(cmp.Compare(b.Slots, a.Slots), cmp.Compare(a.Tenant, b.Tenant))
	})
	if len(claims) > MaxClaims {
		for _, c := range claims[MaxClaims:] {
			rest.Slots += c.Slots
			rest.Weight += c.Weight
		}
		rest.Slots, rest.Weight = min(rest.Slots, math.MaxInt32), min(rest.Weight, 1e15)
		claims = claims[:MaxClaims]
	}
	return claims, rest, own
}

// trim cuts the claims of a process to what it could use at all, by water
// filling, but leaves each at least one slot.
func trim(claims []Claim, most int) {
	total := 0
	for _, c := range claims {
		total += c.Slots
	}
	if total <= most {
		return
	}
	slices.SortFunc(claims, func(a, b Claim) int { // those first that are satisfied first
		return cmp.Compare(float64(a.Slots)/float64(a.Weight), float64(b.Slots)/float64(b.Weight))
	})
	var weight float64
	for _, c := range claims {
		weight += float64(c.Weight)
	}
	left := float64(most)
	for i := range claims {
		c := &claims[i]
		part := left * float64(c.Weight) / weight
		weight -= float64(c.Weight)
		if float64(c.Slots) > part {
			c.Slots = max(1, int(math.Ceil(part)))
		}
		left = max(0, left-float64(c.Slots))
	}
}

// apply has the limiter share its slots as the reply says. Tenants that the
// reply does not mention, and all if there is enough for everybody, get the
// weights back that their users gave them.
func (s *shares) apply(l Limiter, r Request, reply Reply, own map[string]fairshare.Share) (failure error) {
	set := make(map[string]override)
	if reply.Scarce {
		named := make(map[string]bool, len(r.Claims))
		for i, c := range r.Claims {
			named[c.Tenant] = true
			set[c.Tenant] = override{own[c.Tenant], reply.Quotas[i]}
		}
		for tenant, share := range own {
			if !named[tenant] && r.Rest.Weight > 0 {
				set[tenant] = override{share, reply.Rest * share.Weight * 1e6 / float64(r.Rest.Weight)}
			}
		}
	}
	for tenant, o := range set {
		o.weight = min(max(o.weight, 1e-6), 1e6)
		before, ok := s.set[tenant]
		if ok && math.Abs(before.weight-o.weight) <= before.weight/100 {
			set[tenant] = before
			continue
		}
		share := o.own
		share.Weight = o.weight
		if err := l.SetShare(tenant, share); err != nil {
			failure = err
			delete(set, tenant)
			if ok {
				set[tenant] = before
			}
			continue
		}
		set[tenant] = o
	}
	for tenant, o := range s.set {
		if _, ok := set[tenant]; !ok {
			if err := l.SetShare(tenant, o.own); err != nil {
				failure = err
				set[tenant] = o // to be tried again
			}
		}
	}
	s.set = set
	return failure
}
