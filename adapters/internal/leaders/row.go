package leaders

import (
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// A Row has the figures of one tenant, or of all that have no row of their own.
type Row struct {
	Label string
	Leads bool // it is that of one tenant

	Tenants  int // that it sums up, 0 if the pool has forgotten the one
	Held     int
	Waiting  int
	Entitled float64

	OldestWait time.Duration // the longest of all
	Starved    time.Duration // likewise, see Starved

	Share fairshare.Share // of one tenant only
	Cap   int             // likewise
	Debt  time.Duration   // likewise

	Counts
}

// Counts only ever grow.
type Counts struct {
	Acquired uint64
	Rejected uint64
	Canceled uint64
	Service  time.Duration
}

func (r *Row) add(s fairshare.TenantStats) {
	r.Tenants++
	r.Held += s.Held
	r.Waiting += s.Waiting
	r.Entitled += s.Entitled
	r.OldestWait = max(r.OldestWait, s.OldestWait)
	r.Starved = max(r.Starved, Starved(s))
	if r.Leads {
		r.Share, r.Cap, r.Debt = s.Share, s.Cap, s.Debt
	}
}

func (c *Counts) add(o Counts) {
	c.Acquired += o.Acquired
	c.Rejected += o.Rejected
	c.Canceled += o.Canceled
	c.Service += o.Service
}

// between is what a tenant did between two looks. If the pool has forgotten it
// meanwhile, as far as can be seen, that is all that it did since.
func between(before, now fairshare.TenantStats) Counts {
	if now.Acquired < before.Acquired || now.Rejected < before.Rejected || now.Canceled < before.Canceled {
		before = fairshare.TenantStats{}
	}
	return Counts{
		Acquired: now.Acquired - before.Acquired,
		Rejected: now.Rejected - before.Rejected,
		Canceled: now.Canceled - before.Canceled,
		Service:  max(0, now.Service-before.Service),
	}
}

// Starved is for how long the first in line of a tenant has waited that could
// do with one more slot and still not hold more than its share, or that holds
// none; 0 for other tenants.
func Starved(s fairshare.TenantStats) time.Duration {
	const rounding = 1e-9
	if s.Waiting > 0 && (s.Held == 0 || float64(s.Held+1) <= s.Entitled+rounding) {
		return s.OldestWait
	}
	return 0
}
