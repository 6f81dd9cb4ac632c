package fleet

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A twin is the protocol done slowly: it keeps every grant that ever was in one
// list and recalculates everything from that whenever it is asked.
type twin struct {
	terms    Terms
	wall     time.Time
	clock    time.Duration
	identity string
	learning time.Duration
	grants   []*twinGrant // live, in quarantine and over
	offset   float64
	planned  time.Duration
	rotated  time.Duration
	scarce   bool
	level    float64
	spare    int
	sums     map[string]want
	close    bool // the last target was a matter of rounding errors
}

type twinGrant struct {
	Request
	slots   int
	renewed time.Duration
	ended   time.Duration // 0: live
	asked   time.Duration
	fenced  bool
	over    bool
	begin   float64
}

func (w *twin) live() (all []*twinGrant) {
	for _, g := range w.grants {
		if g.ended == 0 {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, byToken)
	return all
}

func byToken(a, b *twinGrant) int {
	return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.Process, b.Process))
}

func (w *twin) used() (sum int) {
	for _, g := range w.grants {
		if !g.over {
			sum += g.slots
		}
	}
	return sum
}

func (w *twin) end(g *twinGrant) {
	g.ended = w.clock
	if g.slots == 0 {
		g.over = true
	}
}

func (w *twin) newest() (token int64) {
	for _, g := range w.grants {
		token = max(token, g.Token)
	}
	return token
}

func (w *twin) sync(wall time.Time, identity string, r Request) Reply {
	if w.wall.IsZero() {
		*w = twin{terms: r.Terms, wall: wall, identity: identity, clock: 1, planned: -1}
		if !r.Fresh {
			w.learning = w.clock + r.Terms.TTL + r.Terms.Quarantine
		}
	}
	w.clock += min(max(wall.Sub(w.wall), 0), r.Terms.Refresh*5/4)
	w.wall = wall
	learn := func() { w.learning = w.clock + w.terms.TTL + w.terms.Quarantine }
	learning := func() bool { return w.clock < w.learning }
	if identity != w.identity {
		w.identity = identity
		learn()
	}
	for _, g := range w.grants {
		if g.ended == 0 && w.clock >= g.renewed+w.terms.TTL {
			w.end(g)
		}
	}
	for _, g := range w.grants {
		if g.ended > 0 && w.clock >= g.ended+w.terms.Quarantine && (g.fenced || !w.terms.Fence) {
			g.over = true
		}
	}
	if r.Terms.Version > w.terms.Version {
		w.terms = r.Terms // the twin is asked for compatible ones only
		w.planned = -1
	}
	var mine *twinGrant
	for _, g := range w.live() {
		if g.Process == r.Process {
			mine = g
		}
	}
	if r.Token == 0 {
		if mine != nil && r.Seq <= mine.Seq {
			return Reply{Status: Stale, Terms: w.terms}
		}
		if mine != nil {
			w.end(mine)
		}
		joined := r
		joined.Token = max(w.newest()+1, wall.UnixMicro())
		mine = &twinGrant{Request: joined}
		w.grants = append(w.grants, mine)
	} else {
		if r.Token > w.newest() && !learning() {
			learn()
		}
		if mine != nil && mine.Token != r.Token {
			if r.Token < mine.Token || !learning() {
				return Reply{Status: Fenced, Terms: w.terms}
			}
			w.end(mine)
			mine = nil
		}
		if mine != nil && r.Seq <= mine.Seq {
			return Reply{Status: Stale, Terms: w.terms}
		}
		if mine == nil {
			for _, g := range w.grants {
				if g.Token == r.Token && g.Process == r.Process && g.ended > 0 && !g.over {
					if w.terms.Fence {
						return Reply{Status: Fenced, Terms: w.terms}
					}
					mine = g
					g.ended, g.begin, g.asked, g.fenced = 0, 0, 0, false
				}
			}
		}
		if mine == nil {
			if !learning() {
				return Reply{Status: Expired, Terms: w.terms}
			}
			mine = &twinGrant{Request: r}
			w.grants = append(w.grants, mine)
		}
	}
	if r.Hold > mine.slots && !learning() {
		learn()
	}
	token := mine.Token
	mine.Request, mine.Token, mine.slots, mine.renewed = r, token, r.Hold, w.clock
	for _, g := range w.grants {
		g.fenced = g.fenced || g.ended > 0 && slices.Contains(r.Fenced, Order{g.Process, g.Token})
	}
	reply := Reply{Terms: w.terms, Token: token, Quotas: make([]float64, len(r.Claims))}
	if r.Leave {
		w.end(mine)
	} else {
		w.allot(mine, &reply, r.Token != 0 && !learning())
	}
	reply.Learning = max(0, w.learning-w.clock)
	reply.Used, reply.Processes = w.used(), len(w.live())
	if w.terms.Fence && !r.Leave {
		reply.Fence = w.orders()
	}
	return reply
}

func (w *twin) orders() (orders []Order) {
	all := slices.Clone(w.grants)
	slices.SortFunc(all, byToken)
	for _, g := range all {
		if g.ended > 0 && !g.over && !g.fenced && (g.asked == 0 || w.clock >= g.asked+w.terms.TTL/2) && len(orders) < 4 {
			g.asked = w.clock
			orders = append(orders, Order{g.Process, g.Token})
		}
	}
	return orders
}

// plan finds the level by bisection.
func (w *twin) plan() {
	if w.planned >= 0 && w.clock < w.planned+w.terms.Refresh {
		return
	}
	w.planned = w.clock
	w.sums = make(map[string]want)
	total := 0
	var rests []want
	for _, g := range w.live() {
		for _, c := range g.Claims {
			s := w.sums[c.Tenant]
			w.sums[c.Tenant] = want{s.slots + c.Slots, max(s.weight, c.Weight)}
			total += c.Slots
		}
		if g.Rest.Slots > 0 {
			rests = append(rests, want{g.Rest.Slots, g.Rest.Weight})
			total += g.Rest.Slots
		}
	}
	w.scarce = total > w.terms.Capacity
	w.spare = (w.terms.Capacity - total) / 2
	if !w.scarce {
		w.spare /= max(1, len(w.live()))
		return
	}
	handed := func(level float64) (sum float64) {
		for _, s := range w.sums {
			sum += min(float64(s.slots), level*float64(s.weight))
		}
		for _, s := range rests {
			sum += min(float64(s.slots), level*float64(s.weight))
		}
		return sum
	}
	low, high := 0.0, 1e9
	for range 200 {
		if middle := (low + high) / 2; handed(middle) < float64(w.terms.Capacity) {
			low = middle
		} else {
			high = middle
		}
	}
	w.level = high
	pause := w.terms.TTL
	if w.terms.Capacity < len(w.live()) {
		pause = 3 * w.terms.Refresh
	}
	if w.clock-1 >= w.rotated+pause {
		w.rotated = w.clock - 1
		w.offset = math.Mod(w.offset+golden, 1)
	}
	at := w.offset
	for _, g := range w.live() {
		g.begin = at
		at += w.due(g, nil)
	}
}

func (w *twin) due(g *twinGrant, reply *Reply) (sum float64) {
	for i, c := range g.Claims {
		s := w.sums[c.Tenant]
		slots, weight := float64(max(s.slots, c.Slots)), float64(max(s.weight, c.Weight))
		q := float64(c.Slots) / slots * min(slots, w.level*weight)
		if reply != nil {
			reply.Quotas[i] = q
		}
		sum += q
	}
	if g.Rest.Slots > 0 {
		q := min(float64(g.Rest.Slots), w.level*float64(g.Rest.Weight))
		if reply != nil {
			reply.Rest = q
		}
		sum += q
	}
	return sum
}

func (w *twin) allot(g *twinGrant, reply *Reply, growing bool) {
	w.plan()
	reply.Scarce = w.scarce
	claimed := g.Rest.Slots
	for _, c := range g.Claims {
		claimed += c.Slots
	}
	free := w.terms.Capacity - w.used()
	if w.scarce {
		end := math.Mod(g.begin+2e-9, 1) - 2e-9 + w.due(g, reply)
		w.close = math.Abs(end-math.Round(end)) < 1e-6
		marks := 0
		for mark := 1.0; mark <= end+1e-9; mark++ {
			marks++
		}
		reply.Target = min(marks, claimed)
	} else {
		reply.Target = claimed + w.spare
		if 10*free >= w.terms.Capacity {
			reply.Target = max(reply.Target, g.slots)
		}
	}
	reply.Target = min(reply.Target, w.terms.Capacity, g.Most)
	if growing && free > 0 && reply.Target > g.slots {
		g.slots = min(reply.Target, g.slots+free)
	}
	reply.Grant = g.slots
}
