package adversary

import (
	"math"
	"testing"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/fairshare/sched"
	"github.com/fairpool/fairpool/pool"
)

// A place is what a coalition finds: the slots and its rivals.
type place struct {
	what   string
	slots  int
	rivals int
	weight float64 // of each rival; 0: 1
	crew   int     // workers of each rival; 0: one more than slots
	hold   func(*arena) func() time.Duration
	config sched.Config

	semaphore fairshare.Config
	reclaim   pool.Reclaim
	job       time.Duration // of a rival
	build     time.Duration
}

func exponential(mean time.Duration) func(*arena) func() time.Duration {
	return func(a *arena) func() time.Duration { return a.exponential(mean) }
}

var (
	four   = place{what: "4 slots, 5 rivals with Exp(100 ms)", slots: 4, rivals: 5, hold: exponential(100 * time.Millisecond)}
	one    = place{what: "1 slot, 3 rivals with Exp(100 ms)", slots: 1, rivals: 3, hold: exponential(100 * time.Millisecond)}
	second = place{what: "8 slots, 3 rivals with holds of 1 s", slots: 8, rivals: 3,
		hold: func(*arena) func() time.Duration { return constant(time.Second) }}
	heavyTail = place{what: "2 slots, 6 rivals with Pareto(1.5) of 100 ms", slots: 2, rivals: 6,
		hold: func(a *arena) func() time.Duration { return a.pareto(1.5, 100*time.Millisecond) }}
	reserve = place{what: "4 slots, Headroom 1, 5 rivals with Exp(100 ms)", slots: 4, rivals: 5, hold: exponential(100 * time.Millisecond),
		config: sched.Config{Headroom: 1}}
	fixed = place{what: "4 slots, Horizon 10 s, 5 rivals with Exp(100 ms)", slots: 4, rivals: 5, hold: exponential(100 * time.Millisecond),
		config: sched.Config{Horizon: 10 * time.Second}}
	noCredit = place{what: "4 slots, no Burst, 5 rivals with Exp(100 ms)", slots: 4, rivals: 5, hold: exponential(100 * time.Millisecond),
		config: sched.Config{Burst: -1}}

	heavyRival  = place{what: "4 slots, a rival of weight 100", slots: 4, rivals: 1, weight: 100, hold: exponential(100 * time.Millisecond)}
	heavyRivals = place{what: "4 slots, 2 rivals of weight 10", slots: 4, rivals: 2, weight: 10, hold: exponential(100 * time.Millisecond)}
	heavyTailed = place{what: "4 slots, a rival of weight 30 with Pareto(1.5) of 100 ms", slots: 4, rivals: 1, weight: 30,
		hold: func(a *arena) func() time.Duration { return a.pareto(1.5, 100*time.Millisecond) }}
	lightRivals = place{what: "4 slots, 6 rivals of weight 0.1", slots: 4, rivals: 6, weight: 0.1, hold: exponential(100 * time.Millisecond)}
)

// An outcome is how a coalition fared.
type outcome struct {
	gain float64 // what it had, over what its share came to, or as the family says
	wait float64 // the longest wait of a rival without debt, over the bound
	loss float64 // the least that a rival had, over what its share came to
}

// playRule plays in an arena. The rivals always want another slot; one more,
// the probe, asks for a short hold now and then and shows how long one waits.
func playRule(_ *testing.T, f *family, c candidate, seed uint64, l length) outcome {
	at := f.places[c.place]
	cfg := at.config
	cfg.Capacity = at.slots
	a := newArena(seed, cfg)
	var rivals []*party
	for i := range at.rivals {
		r := a.party("rival"+string(rune('A'+i)), sched.Share{Weight: at.weight}, float64(at.slots))
		rivals = append(rivals, r)
	}
	probe := a.party("probe", sched.Share{}, 0.05)
	var members []*party
	for i, s := range c.members {
		p := &player{settings: s.set(f.turned), a: a}
		p.p = a.party("member"+string(rune('A'+i)), sched.Share{
			Min: min(p.count(least), at.slots/2/len(c.members)), Max: p.count(most)}, float64(at.slots))
		if f.plans {
			// A plan lasts for many holds, and for many times the credit.
			p.settings[period] = max(p.settings[period], 50*p.settings[long], 50*p.settings[short], 50*at.config.Horizon.Seconds())
		}
		if f.fresh {
			p.p.names, p.p.demand = p.count(names), float64(p.count(names))
		}
		if f.fresh {
			p.draw = at.hold(a)
		}
		members = append(members, p.p)
		a.after(0, p.start)
		if f.plans {
			a.after(0, p.plans)
		}
		if f.resizes && i == 0 {
			a.after(0, p.resizes)
		}
	}
	crew := at.crew
	if crew == 0 {
		crew = at.slots + 1
	}
	for _, r := range rivals {
		a.after(0, func() { a.workers(r, crew, at.hold(a)) })
	}
	worst := a.probes(probe)
	a.run(30*time.Second, l.events/4)
	a.measure()
	a.run(l.time, l.events)

	var had, due float64
	for _, m := range members {
		had += m.slotTime
		due += m.due
	}
	out := outcome{gain: had / due, wait: float64(worst()) / float64(a.bound(probe)), loss: math.Inf(1)}
	for _, r := range rivals {
		out.loss = min(out.loss, r.slotTime/r.due)
	}
	return out
}

// probes has p ask for one slot now and then, when it has no debt, and returns
// how to learn what the longest wait was.
func (a *arena) probes(p *party) (worst func() time.Duration) {
	var waiting *job
	var visit func()
	hold := a.exponential(20 * time.Millisecond)
	visit = func() {
		a.after(a.exponential(400*time.Millisecond)(), visit)
		if waiting != nil && waiting.Seq() != 0 || p.held > 0 {
			return
		}
		if t := a.s.Find(p.name); t == nil || a.s.Status(a.stamp(), t).Debt <= 0 {
			waiting = a.ask(p, p.name, hold, nil, nil)
		}
	}
	a.after(0, visit)
	return func() (longest time.Duration) {
		for _, w := range p.waits {
			longest = max(longest, w)
		}
		if waiting != nil && waiting.Seq() != 0 {
			longest = max(longest, a.now-waiting.asked)
		}
		return longest
	}
}

// bound is what package sched promises p, which waits without debt.
func (a *arena) bound(p *party) time.Duration {
	rivals := 0.0
	for _, r := range a.parties {
		if r != p {
			rivals += float64(r.most)*a.longest.Seconds() + a.credit()*float64(max(1, r.names))
		}
	}
	return a.longest + time.Duration(rivals/float64(max(1, a.least))*float64(time.Second))
}

// credit is B of package sched at its greatest, in slot-seconds.
func (a *arena) credit() float64 {
	holds := 4.0
	if a.noCredit {
		holds = 2
	}
	return holds * max(a.horizon.Seconds(), a.usual)
}
