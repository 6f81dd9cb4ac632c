package main

import "fmt"

// A scale is how much is done in a round.
type scale struct {
	alone   int // cycles of the one goroutine
	pack    int // cycles of 64 goroutines
	many    int // cycles of thousands
	waiters int
	tenants int
	picks   int
	backlog int // tenants, against 1,000
	storm   int // waiters, against a tenth of them
	blocked int // waiters whose memory is measured
	idle    int // tenants that the pool remembers
}

var (
	full = scale{
		alone: 200_000, pack: 60_000, many: 160_000, waiters: 16_384, tenants: 1024,
		picks: 100_000, backlog: 1_000_000, storm: 100_000, blocked: 16_384, idle: 16_384,
	}
	short = scale{
		alone: 50_000, pack: 20_000, many: 80_000, waiters: 16_384, tenants: 1024,
		picks: 50_000, backlog: 100_000, storm: 10_000, blocked: 16_384, idle: 16_384,
	}
)

const (
	slots = 8
	few   = 3 // rounds of what takes a second each, or is the same each time
)

// comparisons are the rows of the table.
func (s scale) comparisons() []comparison {
	var all []comparison
	for _, kind := range []contextKind{background, cancellable} {
		all = append(all, s.cycles("pool", kind, puddlePeer, fairpoolPeer,
			ratioAtMost(0.6).andNoAllocs(), ratioAtMost(0.8).andNoAllocs(), ratioAtMost(0.8))...)
	}
	all = append(all, s.cycles("semaphore", cancellable, semaphorePeer, fairsharePeer, target{}, target{}, target{})...)
	all = append(all, s.picking())
	all = append(all, s.storms()...)
	return append(all, s.memory()...)
}

// cycles are Acquire and Release by one goroutine, by 64, and by thousands.
func (s scale) cycles(what string, kind contextKind, base, ours peer, alone, few, many target) []comparison {
	row := func(name, title string, t target, open func(peer) (load, error)) comparison {
		return comparison{
			name:   fmt.Sprintf("%s/ctx=%s/%s", what, kind.name, name),
			title:  fmt.Sprintf("%s: %s, %s ctx", what, title, kind.name),
			unit:   "ns",
			base:   side{base.name, func() (load, error) { return open(base) }},
			ours:   side{ours.name, func() (load, error) { return open(ours) }},
			target: t,
		}
	}
	return []comparison{
		row("alone", "Acquire+Release, nobody else", alone, func(p peer) (load, error) {
			return openAlone(p, kind, slots, s.alone)
		}),
		row("goroutines=64", "64 goroutines, 8 slots, 16 tenants", few, func(p peer) (load, error) {
			return openCrowd(p, kind, slots, 64, 16, s.pack)
		}),
		row(fmt.Sprintf("goroutines=%d", s.waiters),
			fmt.Sprintf("%s goroutines, 8 slots, %s tenants", thousands(s.waiters), thousands(s.tenants)),
			many, func(p peer) (load, error) {
				return openCrowd(p, kind, slots, s.waiters, s.tenants, s.many)
			}),
	}
}

func (s scale) picking() comparison {
	pick := func(tenants int) side {
		return side{thousands(tenants) + " tenants", func() (load, error) { return openPick(slots, tenants, s.picks) }}
	}
	return comparison{
		name:   "pick",
		title:  fmt.Sprintf("scheduler: release, enqueue, pick; %s backlogged tenants", thousands(s.backlog)),
		unit:   "ns",
		base:   pick(1000),
		ours:   pick(s.backlog),
		target: ratioBelow(3),
		most:   5,
	}
}

func (s scale) storms() []comparison {
	storm := func(name string, p peer, waiters int) side {
		return side{name, func() (load, error) { return openStorm(p, slots, waiters, s.tenants) }}
	}
	ours := storm(fairpoolPeer.name, fairpoolPeer, s.storm)
	second := 1e9 / float64(s.storm) // for each
	return []comparison{{
		name:   fmt.Sprintf("storm/waiters=%d", s.storm),
		title:  fmt.Sprintf("%s waiters cancelled at once, each", thousands(s.storm)),
		unit:   "ns",
		base:   storm(puddlePeer.name, puddlePeer, s.storm),
		ours:   ours,
		target: target{"all in < 1 s", func(o outcome) bool { return o.oursEach.median < second }},
		most:   few,
	}, {
		name:   "storm/growth",
		title:  "the same, against a tenth as many",
		unit:   "ns",
		base:   storm(thousands(s.storm/10)+" waiters", fairpoolPeer, s.storm/10),
		ours:   storm(thousands(s.storm)+" waiters", fairpoolPeer, s.storm),
		target: target{"O(log n): < 3 x", ratioBelow(3).met},
		most:   few,
	}}
}

func (s scale) memory() []comparison {
	var all []comparison
	for _, kind := range []contextKind{background, cancellable} {
		waiter := func(p peer) side {
			return side{p.name, func() (load, error) { return openWaiting(p, kind, slots, s.blocked, s.tenants) }}
		}
		all = append(all, comparison{
			name:   "memory/waiter/ctx=" + kind.name,
			title:  fmt.Sprintf("heap of a waiter beyond a goroutine blocked alike, %s ctx", kind.name),
			unit:   "B",
			base:   waiter(puddlePeer),
			ours:   waiter(fairpoolPeer),
			target: eachAtMost(256, "B"),
			most:   few,
		})
	}
	return append(all, comparison{
		name:  "memory/tenant",
		title: fmt.Sprintf("heap of a remembered idle tenant, one of %s", thousands(s.idle)),
		unit:  "B",
		ours: side{fairpoolPeer.name, func() (load, error) {
			return openRemembered(fairpoolPeer, s.idle)
		}},
		target: eachAtMost(256, "B"),
		most:   few,
	})
}
