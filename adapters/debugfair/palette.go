package debugfair

import (
	"hash/fnv"
	"math"
	"slices"
	"time"
)

// colors is how many tenants have a colour at a time. The colours themselves
// are in page.css.
const colors = 8

// A palette says which tenant of a pool has which colour. A tenant keeps its
// colour until it has not been seen for as long as the page looks back, or
// until another that has none is far busier.
type palette struct {
	owners [colors]owner
	busy   map[string]float64 // slots in use on average over about busyFor
	at     time.Time
}

type owner struct {
	name  string
	taken bool
	seen  time.Time
}

const (
	busyFor   = 30 * time.Second
	mostKnown = 512  // tenants of which the palette knows how busy they are
	leastBusy = 0.25 // slots, where there are more tenants than colours
)

// A use is how much a tenant uses at a moment.
type use struct {
	name  string
	slots float64
}

// update tells what is used now, by some of the tenants, the busiest among
// them, and what colours the other pools of the page have given out. It returns
// the colours that have changed hands, or been given back.
func (p *palette) update(now time.Time, uses []use, others []*palette) (changed []int) {
	if p.busy == nil {
		p.busy = map[string]float64{}
	}
	stay := math.Exp(-now.Sub(p.at).Seconds() / busyFor.Seconds())
	p.at = now
	for name, busy := range p.busy {
		if p.busy[name] = busy * stay; p.busy[name] < 1e-3 {
			delete(p.busy, name)
		}
	}
	for _, u := range uses {
		if _, known := p.busy[u.name]; known || len(p.busy) < mostKnown {
			p.busy[u.name] += u.slots * (1 - stay)
		}
		if i := p.of(u.name); i < colors {
			p.owners[i].seen = now
		}
	}
	for i := range p.owners {
		if o := &p.owners[i]; o.taken && now.Sub(o.seen) > lookBack {
			*o = owner{}
			changed = append(changed, i)
		}
	}
	for _, u := range uses {
		if p.of(u.name) == colors && (len(p.busy) <= colors || p.busy[u.name] >= leastBusy) {
			if i, ok := p.choose(u.name, others); ok {
				p.owners[i] = owner{u.name, true, now}
			}
		}
	}
	if i, ok := p.displace(now, uses); ok {
		changed = append(changed, i)
	}
	return changed
}

// displace gives the colour of the least busy owner to the busiest tenant that
// has none, if that is much busier: colours that flicker say nothing.
func (p *palette) displace(now time.Time, uses []use) (changed int, ok bool) {
	least := 0
	for i, o := range p.owners {
		if !o.taken {
			return 0, false
		}
		if p.busy[o.name] < p.busy[p.owners[least].name] {
			least = i
		}
	}
	var best use
	for _, u := range uses {
		if busy := p.busy[u.name]; busy > best.slots && p.of(u.name) == colors {
			best = use{u.name, busy}
		}
	}
	if best.slots <= 2*p.busy[p.owners[least].name]+leastBusy {
		return 0, false
	}
	p.owners[least] = owner{best.name, true, now}
	return least, true
}

// choose returns a colour that nobody has: the one that the tenant has in
// another pool; or one that nobody has in any, so that it can be the same in all
// of them; or just one. Beyond that it depends on the name alone, to be the same
// in every run.
func (p *palette) choose(name string, others []*palette) (color int, ok bool) {
	taken := func(c int) bool { return p.owners[c].taken }
	for _, o := range others {
		if c := o.of(name); c < colors && !taken(c) {
			return c, true
		}
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	first, found := int(h.Sum32()%colors), colors
	for i := range colors {
		c := (first + i) % colors
		if taken(c) {
			continue
		}
		if !slices.ContainsFunc(others, func(o *palette) bool { return o.owners[c].taken }) {
			return c, true
		}
		found = min(found, i)
	}
	return (first + found) % colors, found < colors
}

// of is the colour of a tenant, or colors if it has none.
func (p *palette) of(name string) int {
	for i, o := range p.owners {
		if o.taken && o.name == name {
			return i
		}
	}
	return colors
}

// labels are the names of the owners as they are shown, "" for none.
func (p *palette) labels() []string {
	labels := make([]string, colors)
	for i, o := range p.owners {
		if o.taken {
			labels[i] = label(o.name)
		}
	}
	return labels
}
