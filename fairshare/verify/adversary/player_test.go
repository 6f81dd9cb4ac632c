package adversary

import (
	"fmt"
	"slices"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// A player is one member of a coalition in an arena.
type player struct {
	settings
	a       *arena
	p       *party
	present bool
	left    time.Duration // when the stay ends
	grants  int           // in this stay
	asked   int           // names so far
	waiting []*job
	draw    func() time.Duration // holding times; nil: as the knobs say
}

func (p *player) start() {
	if p.time(lead) == 0 {
		p.come()
	}
	if every := p.time(again); every > 0 {
		p.each(every, func() {
			if p.present {
				p.cancelAll()
				p.fill()
			}
		})
	}
	if every := p.time(spin); every > 0 {
		p.each(every, func() {
			if p.present && p.a.s.Available(p.a.s.Tenant(p.a.stamp(), p.p.name)) {
				p.ask()
			}
		})
	}
}

func (p *player) each(every time.Duration, fn func()) {
	p.a.after(every, func() {
		fn()
		p.each(every, fn)
	})
}

func (p *player) come() {
	if p.present {
		return
	}
	p.present, p.grants = true, 0
	stay := p.time(on)
	if p.time(lead) > 0 && p.time(away) == 0 {
		stay = p.time(period) * 9 / 10 // and is gone when the plan changes back
	}
	if p.time(away) > 0 || p.time(lead) > 0 {
		p.left = p.a.now + stay
		p.a.after(stay, p.leave)
	}
	p.fill()
}

func (p *player) leave() {
	p.present = false
	p.cancelAll()
	if p.time(lead) == 0 {
		p.a.after(p.time(away), p.come)
	}
}

// fill keeps as many requests waiting as the strategy says.
func (p *player) fill() {
	if !p.present || p.time(spin) > 0 {
		return
	}
	if p.p.names > 0 {
		for range p.p.names - p.asked {
			p.ask()
		}
		return
	}
	for n := 0; len(p.waiting) < p.count(waiters) && n < 100; n++ {
		p.ask()
	}
}

func (p *player) ask() {
	name := p.p.name
	if p.p.names > 0 {
		p.asked++
		name = fmt.Sprint(name, p.asked)
	}
	var j *job
	served := func() {
		p.waiting = slices.DeleteFunc(p.waiting, func(w *job) bool { return w == j })
		if p.time(pace) == 0 && p.p.names == 0 {
			p.a.after(0, p.fill)
		}
	}
	done := func() {
		switch {
		case p.p.names > 0:
			p.ask()
		case p.time(pace) > 0:
			p.a.after(p.time(pace), p.fill)
		default:
			p.fill()
		}
	}
	j = p.a.ask(p.p, name, p.hold, served, done)
	if j.Seq() != 0 {
		p.waiting = append(p.waiting, j)
	}
}

func (p *player) cancelAll() {
	for _, j := range p.waiting {
		p.a.cancel(j)
	}
	p.waiting = nil
}

// hold is called at a grant.
func (p *player) hold() time.Duration {
	if p.draw != nil {
		return p.draw()
	}
	p.grants++
	isLong := p.a.rng.Float64() < p.settings[mix]
	if t := p.time(threshold); t > 0 {
		isLong = p.a.s.Horizon() < t
	}
	if p.grants <= p.count(grab) {
		isLong = true
	}
	if t := p.settings[tail]; t > 0 && p.left > 0 && float64(p.left-p.a.now) < t*float64(p.time(on)) {
		isLong = true
	}
	if isLong {
		return p.time(long)
	}
	return p.time(short)
}

// plans has an operator change the weight of the player at fixed times.
func (p *player) plans() {
	shares := [2]sched.Share{{Weight: p.settings[weightA]}, {Weight: p.settings[weightB]}}
	p.a.setShare(p.p, shares[0])
	p.changes(func(i int) { p.a.setShare(p.p, shares[i]) })
}

// resizes has an operator change the capacity at fixed times.
func (p *player) resizes() {
	sizes := [2]int{p.a.capacity, max(1, int(p.settings[capacity]*float64(p.a.capacity)))}
	p.changes(func(i int) { p.a.resize(sizes[i]) })
}

// changes calls fn with 1 and 0 in turn. The player knows when.
func (p *player) changes(fn func(int)) {
	i := 0
	p.each(p.time(period), func() {
		i = 1 - i
		fn(i)
	})
	if ahead := min(p.time(lead), p.time(period)); ahead > 0 {
		p.a.after(p.time(period)-ahead, func() {
			p.come()
			p.each(2*p.time(period), p.come)
		})
	}
}
