package main

import "fmt"

// Everybody is measured in this order, fairpool right after puddle.
var allPeers = []peer{
	puddlePeer, fairpoolPeer, fairsharePeer, semaphorePeer, databaseSQLPeer,
	commonsPeer, channelPeer, bulkheadPeer, marusamaPeer,
}

var twoPeers = []peer{puddlePeer, fairpoolPeer}

func (p peer) side(open func(peer) (load, error)) side {
	return side{p.name, p.lends, func() (load, error) { return open(p) }}
}

func sidesOf(peers []peer, open func(peer) (load, error)) (sides []side) {
	for _, p := range peers {
		sides = append(sides, p.side(open))
	}
	return sides
}

// beside is a row of the pool beside puddle.
func beside(title string, t target) row {
	return row{title: title, base: puddlePeer.name, ours: fairpoolPeer.name, target: t}
}

func (r row) shown(first bool) row {
	r.first = first
	return r
}

// trials are all that is measured of the peers.
func (s scale) trials() (all []trial) {
	alone := ratioAtMost(0.6).andNoAllocs()
	for _, kind := range []contextKind{background, cancellable} {
		peers, rows := twoPeers, []row{beside("pool: Acquire+Release, nobody else, Background ctx", alone)}
		if kind.name == cancellable.name {
			peers, rows = allPeers, []row{
				beside("pool: Acquire+Release, nobody else", alone).shown(true),
				{title: "pool: the same", base: databaseSQLPeer.name, ours: fairpoolPeer.name},
				{title: "semaphore: the same", base: semaphorePeer.name, ours: fairsharePeer.name, first: true},
			}
		}
		all = append(all, trial{
			name:  "alone/ctx=" + kind.name,
			title: fmt.Sprintf("Acquire+Release, nobody else, %s ctx", kind.name),
			unit:  "ns",
			sides: sidesOf(peers, func(p peer) (load, error) { return openAlone(p, kind, slots, s.alone) }),
			ours:  []string{fairpoolPeer.name},
			rows:  rows,
		})
	}
	for _, goroutines := range []int{2, 8} {
		title := fmt.Sprintf("%d goroutines, %d slots, nobody waits", goroutines, ample)
		all = append(all, trial{
			name:  fmt.Sprintf("apart/goroutines=%d", goroutines),
			title: title + ", cancellable ctx",
			unit:  "ns",
			sides: sidesOf(allPeers, func(p peer) (load, error) { return openApart(p, cancellable, ample, goroutines, s.alone) }),
			ours:  []string{fairpoolPeer.name},
			rows:  []row{beside("pool: "+title, target{}).shown(goroutines == 8)},
		})
	}
	all = append(all, s.crowds()...)
	all = append(all, s.storms()...)
	return append(all, s.memory()...)
}

// crowds are Acquire and Release by more goroutines than there are slots. Who
// knows tenants is measured with several numbers of them.
func (s scale) crowds() (all []trial) {
	for _, c := range []struct {
		goroutines, cycles, most int
		tenants                  int // of the rows of the main table; 0: none
		target                   target
	}{
		{64, s.pack, 0, 16, ratioAtMost(0.8).andNoAllocs()},
		{1024, s.pack, 0, 0, target{}},
		{s.waiters, s.many, some, s.tenants, ratioAtMost(0.8)},
	} {
		title := fmt.Sprintf("%s goroutines, %d slots", thousands(c.goroutines), slots)
		if c.tenants > 0 {
			t := crowdTrial(background, twoPeers, title, c.goroutines, c.cycles, c.tenants)
			t.rows = []row{{
				title: fmt.Sprintf("pool: %s, %s tenants, Background ctx", title, thousands(c.tenants)),
				base:  puddlePeer.name, ours: fairpoolPeer.with(c.tenants), target: c.target,
			}}
			t.most = c.most
			all = append(all, t)
		}
		t := crowdTrial(cancellable, allPeers, title, c.goroutines, c.cycles, 1, 16, s.tenants)
		if c.tenants > 0 {
			ours := fairpoolPeer.with(c.tenants)
			t.rows = []row{
				{title: fmt.Sprintf("pool: %s, %s tenants", title, thousands(c.tenants)), base: puddlePeer.name, ours: ours, target: c.target, first: c.goroutines == 64},
				{title: "pool: the same", base: databaseSQLPeer.name, ours: ours},
				{title: "semaphore: the same", base: semaphorePeer.name, ours: fairsharePeer.with(c.tenants)},
			}
		}
		t.most = c.most
		all = append(all, t)
	}
	return all
}

func crowdTrial(kind contextKind, peers []peer, title string, goroutines, cycles int, tenants ...int) trial {
	t := trial{
		name:  fmt.Sprintf("goroutines=%d/ctx=%s", goroutines, kind.name),
		title: fmt.Sprintf("%s, %s ctx", title, kind.name),
		unit:  "ns",
		crowd: true,
	}
	for _, p := range peers {
		open := func(n int) func(peer) (load, error) {
			return func(p peer) (load, error) { return openCrowd(p, kind, slots, goroutines, n, cycles) }
		}
		if !p.tenants {
			t.sides = append(t.sides, p.side(open(1)))
			continue
		}
		for _, n := range tenants {
			side := p.side(open(n))
			side.name = p.with(n)
			t.sides = append(t.sides, side)
			if p.name == fairpoolPeer.name {
				t.ours = append(t.ours, side.name)
			}
		}
	}
	return t
}

// with is the name of a peer that is used by n tenants.
func (p peer) with(n int) string {
	if n == 1 {
		return p.name + ", 1 tenant"
	}
	return fmt.Sprintf("%s, %s tenants", p.name, thousands(n))
}

func (s scale) storms() []trial {
	storm := func(waiters int) func(peer) (load, error) {
		return func(p peer) (load, error) { return openStorm(p, slots, waiters, s.tenants) }
	}
	growing := func(waiters int) side {
		side := fairpoolPeer.side(storm(waiters))
		side.name = thousands(waiters) + " waiters"
		return side
	}
	second := 1e9 / float64(s.storm) // for each
	less, more := growing(s.storm/10), growing(s.storm)
	title := fmt.Sprintf("%s waiters cancelled at once, each", thousands(s.storm))
	return []trial{{
		name:  fmt.Sprintf("storm/waiters=%d", s.storm),
		title: title,
		unit:  "ns",
		sides: sidesOf(allPeers, storm(s.storm)),
		ours:  []string{fairpoolPeer.name},
		rows: []row{beside(title, target{"all in < 1 s", func(o outcome) bool {
			return o.oursEach.median < second
		}})},
		most: few,
	}, {
		name:  "storm/growth",
		title: fmt.Sprintf("the same with fairpool, against %s waiters", thousands(s.storm/10)),
		unit:  "ns",
		sides: []side{less, more},
		ours:  []string{more.name},
		rows: []row{{
			title: "the same, against a tenth as many", base: less.name, ours: more.name,
			target: target{"O(log n): < 3 x", ratioBelow(3).met},
		}},
		most: few,
	}}
}

func (s scale) memory() (all []trial) {
	for _, kind := range []contextKind{background, cancellable} {
		peers := twoPeers
		if kind.name == cancellable.name {
			peers = allPeers
		}
		title := fmt.Sprintf("heap of a waiter beyond a goroutine blocked alike, %s ctx", kind.name)
		all = append(all, trial{
			name:  "memory/waiter/ctx=" + kind.name,
			title: title,
			unit:  "B",
			sides: sidesOf(peers, func(p peer) (load, error) { return openWaiting(p, kind, slots, s.blocked, s.tenants) }),
			ours:  []string{fairpoolPeer.name},
			rows:  []row{beside(title, eachAtMost(256, "B"))},
			most:  few,
		})
	}
	title := fmt.Sprintf("heap of a remembered idle tenant, one of %s", thousands(s.idle))
	return append(all, trial{
		name:  "memory/tenant",
		title: title,
		unit:  "B",
		sides: sidesOf([]peer{fairpoolPeer}, func(p peer) (load, error) { return openRemembered(p, s.idle) }),
		rows:  []row{{title: title, ours: fairpoolPeer.name, target: eachAtMost(256, "B")}},
		most:  few,
	})
}
