package conformance

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
)

// A history is a random sequence of requests, well and ill behaved.
type history struct {
	rand     *rand.Rand
	wall     time.Time
	identity string
	terms    fleet.Terms
	members  []*member
	orders   []fleet.Order
	last     []fleet.Request // to be repeated
}

type member struct {
	process    string
	token, seq int64
	grant      int
}

var tenants = []string{"a", "b", "c", "", "\x00\xff", "tenant \n 'x' \\", "é", string(make([]byte, 300)), "d", "e"}

func newHistory(seed uint64) *history {
	r := rand.New(rand.NewPCG(seed, 1))
	h := &history{
		rand: r, wall: time.UnixMicro(1_700_000_000_000_000).UTC(), identity: "one",
		terms: fleet.Terms{
			Version: 3, Capacity: []int{0, 1, 6, 40, 40, 1000}[r.IntN(6)],
			TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second, Fence: r.IntN(2) == 0,
		},
	}
	for i := range 2 + r.IntN(6) {
		h.members = append(h.members, &member{process: "process " + string(rune('a'+i)) + "\x00\xfe"})
	}
	return h
}

// one in n
func (h *history) one(n int) bool { return h.rand.IntN(n) == 0 }

// next returns the next request, and by what member.
func (h *history) next() (*member, fleet.Request) {
	switch {
	case h.one(60):
		h.wall = h.wall.Add(time.Duration(h.rand.IntN(3)-1) * time.Hour)
	case h.one(30):
		for range h.rand.IntN(25) { // a while in which nobody syncs but one
			h.wall = h.wall.Add(time.Second)
		}
	default:
		h.wall = h.wall.Add(time.Duration(h.rand.IntN(400_000)) * time.Microsecond)
	}
	if h.one(150) {
		h.identity += "'"
	}
	if h.one(100) {
		h.terms.Version++
		h.terms.Capacity = h.rand.IntN(60)
	}
	m := h.members[h.rand.IntN(len(h.members))]
	if h.one(25) && len(h.last) > 0 {
		r := h.last[h.rand.IntN(len(h.last))]
		r.Leave = false
		return nil, r
	}
	m.seq++
	r := fleet.Request{
		Process: m.process, Token: m.token, Seq: m.seq, Hold: h.rand.IntN(m.grant + 1), Most: 1000,
		Terms: h.terms, Fresh: h.one(2), Leave: h.one(40),
	}
	if h.one(2) {
		r.Hold = m.grant
	}
	if h.one(10) {
		r.Most = h.rand.IntN(10)
	}
	h.disturb(&r)
	if r.Token == 0 {
		r.Hold = 0
	}
	for _, tenant := range tenants {
		if h.one(3) {
			c := fleet.Claim{Tenant: tenant, Slots: 1 + h.rand.IntN(20), Weight: 1_000_000}
			if h.one(3) {
				c.Weight = 1 + h.rand.Int64N(5_000_000)
			}
			r.Claims = append(r.Claims, c)
		}
	}
	h.rand.Shuffle(len(r.Claims), func(i, j int) { r.Claims[i], r.Claims[j] = r.Claims[j], r.Claims[i] })
	if h.one(4) {
		r.Rest = fleet.Claim{Slots: 1 + h.rand.IntN(100), Weight: 1 + h.rand.Int64N(50_000_000)}
	}
	for _, o := range h.orders {
		if h.one(3) {
			r.Fenced = append(r.Fenced, o)
		}
	}
	h.orders = nil
	if h.last = append(h.last, r); len(h.last) > 10 {
		h.last = h.last[1:]
	}
	return m, r
}

// disturb makes a request one that a broken engine, network or member would
// have sent.
func (h *history) disturb(r *fleet.Request) {
	switch {
	case h.one(60):
		r.Hold += 1 + h.rand.IntN(5)
	case h.one(60):
		r.Token += 1 + h.rand.Int64N(10)
	case h.one(60):
		r.Token = max(0, r.Token-1-h.rand.Int64N(10))
	case h.one(60):
		r.Token = 0
	case h.one(60):
		r.Terms.Version = h.rand.Int64N(5)
	case h.one(80):
		r.Terms.TTL = 20 * time.Second
		r.Terms.Version += h.rand.Int64N(2)
	case h.one(80):
		r.Terms.Capacity++
	case h.one(80):
		r.Terms.Fence = !r.Terms.Fence
	}
}

// learned has a member know what it was told.
func (h *history) learned(m *member, r fleet.Reply) {
	if m == nil {
		return
	}
	switch r.Status {
	case fleet.OK:
		m.token, m.grant = r.Token, r.Grant
		h.orders = append(h.orders, r.Fence...)
	case fleet.Fenced, fleet.Expired:
		m.token, m.grant = 0, 0
	}
}

// clone is a request that shares nothing with r.
func clone(r fleet.Request) fleet.Request {
	r.Claims, r.Fenced = slices.Clone(r.Claims), slices.Clone(r.Fenced)
	return r
}
