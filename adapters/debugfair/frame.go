package debugfair

import (
	"cmp"
	"slices"
	"strings"
)

// A frame is all that the page shows of one sample: what ?format=json returns
// and what a stream sends. Times are Unix milliseconds, lengths of time
// milliseconds; null is nothing to show.
type frame struct {
	ID    string  `json:"id"` // of the page and of the sample
	At    int64   `json:"at"`
	Title string  `json:"title"`
	Every int64   `json:"every"` // until the next, about
	Pools []shown `json:"pools"`

	seq uint64
}

// A shown is one pool in a frame.
type shown struct {
	Name   string   `json:"name"`
	Colors []string `json:"colors"` // the tenant of each colour, "" for none
	Now    moment   `json:"now"`

	MaxSize  int         `json:"maxSize"` // 0 for a semaphore
	Tenants  int         `json:"tenants"` // that hold or wait
	Held     int         `json:"held"`
	Waiting  int         `json:"waiting"`
	Horizon  number      `json:"horizon"`
	Rows     []tenantRow `json:"rows"`
	Others   othersRow   `json:"others"` // not in rows
	Leases   int         `json:"leases"`
	Holders  []holderRow `json:"holders"`
	Stacks   []string    `json:"stacks"` // which holders refer to
	Counts   [][2]string `json:"counts"` // what has happened since the start, if it has
	Figures  [][2]string `json:"figures"`
	Warnings []string    `json:"warnings"`
}

type tenantRow struct {
	Name       string `json:"name"`
	Color      int    `json:"color"` // the number of colours if it has none
	Weight     number `json:"weight"`
	Min        int    `json:"min"`
	Cap        int    `json:"cap"` // 0: none
	Held       int    `json:"held"`
	Entitled   number `json:"entitled"`
	Waiting    int    `json:"waiting"`
	OldestWait number `json:"oldest"`
	Service    number `json:"service"`
	Debt       number `json:"debt"` // negative: credit
	Acquired   uint64 `json:"acquired"`
	Rejected   uint64 `json:"rejected"`
}

type othersRow struct {
	Tenants int `json:"tenants"`
	Held    int `json:"held"`
	Waiting int `json:"waiting"`
}

type holderRow struct {
	Resource uint64 `json:"resource"`
	Tenant   string `json:"tenant"`
	Color    int    `json:"color"`
	Held     number `json:"held"`
	Revoked  bool   `json:"revoked,omitempty"`
	Stack    int    `json:"stack"` // index in stacks, -1: none
}

// show makes an observation part of a frame.
func show(name string, o *observation, m moment, p *palette) shown {
	s := shown{
		Name: label(name), Colors: p.labels(), Now: m, MaxSize: o.stats.MaxSize,
		Tenants: o.active, Held: o.held, Waiting: o.waiting, Horizon: milliseconds(o.stats.Horizon),
		Others: othersRow{o.active, o.held, o.waiting},
		Rows:   []tenantRow{}, Holders: []holderRow{}, Stacks: []string{},
		Leases: o.leases, Counts: counts(o.stats), Figures: append([][2]string{}, o.figures...), Warnings: warnings(o),
	}
	slices.SortFunc(o.ranked, func(a, b tenant) int {
		return cmp.Or(cmp.Compare(p.of(a.name), p.of(b.name)), cmp.Compare(a.name, b.name))
	})
	for _, t := range o.ranked {
		if t.Held > 0 || t.Waiting > 0 {
			s.Others.Tenants--
		}
		s.Others.Held -= t.Held
		s.Others.Waiting -= t.Waiting
		weight := t.Share.Weight
		if weight == 0 {
			weight = 1
		}
		s.Rows = append(s.Rows, tenantRow{
			Name: label(t.name), Color: p.of(t.name),
			Weight: number(weight), Min: t.Share.Min, Cap: t.Cap,
			Held: t.Held, Entitled: number(t.Entitled), Waiting: t.Waiting,
			OldestWait: milliseconds(t.OldestWait), Service: milliseconds(t.Service), Debt: milliseconds(t.Debt),
			Acquired: t.Acquired, Rejected: t.Rejected,
		})
	}
	for _, h := range o.holders {
		s.Holders = append(s.Holders, holderRow{
			Resource: h.Resource, Tenant: label(h.Tenant), Color: p.of(h.Tenant),
			Held: milliseconds(h.Held), Revoked: h.Revoked, Stack: s.stack(h.Stack),
		})
	}
	return s
}

// stack returns the index of a stack, -1 for none or one too many.
func (s *shown) stack(text string) int {
	if text == "" {
		return -1
	}
	text = excerpt(strings.TrimSpace(text), 4096)
	if i := slices.Index(s.Stacks, text); i >= 0 || len(s.Stacks) == mostStacks {
		return i
	}
	s.Stacks = append(s.Stacks, text)
	return len(s.Stacks) - 1
}
