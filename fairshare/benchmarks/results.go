package main

import (
	"math"

	"golang.org/x/sync/errgroup"
)

// An outcome is one rule in one scenario.
type outcome struct {
	scenario  *scenario
	contender contender
	able      bool // false: it cannot do what the scenario asks
	figures
	alonep50, alonep99 float64 // waits of the light tenants with the pool alone
}

// value is what the scenario is about.
func (o outcome) value() float64 { return o.scenario.value(o.figures) }

// A row is one scenario under all contenders, in their order.
type row []outcome

// samples is the number of times at which a run is compared with the ideal.
const samples = 400

// measure runs every scenario under every rule, at most parallel at a time.
func measure(s size, parallel int) []row {
	rows := make([]row, len(scenarios))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i := range scenarios {
		rows[i] = make(row, len(contenders))
		g.Go(func() error {
			compete(&scenarios[i], s, contenders, rows[i])
			return nil
		})
	}
	_ = g.Wait() // nothing returns an error
	return rows
}

// compete runs one scenario under each of the given rules.
func compete(sc *scenario, s size, under []contender, into row) {
	l := sc.build(s).seeded(1)
	best := oracle(l, samples)
	alonep50, alonep99 := math.NaN(), math.NaN()
	if alone, ok := l.alone(); ok {
		f := play(alone, byName(fifo), oracle(alone, 1))
		alonep50, alonep99 = f.p50, f.p99
	}
	for k, c := range under {
		into[k] = outcome{scenario: sc, contender: c, alonep50: alonep50, alonep99: alonep99}
		if into[k].able = c.able(l); into[k].able {
			into[k].figures = play(l, c, best)
		}
	}
}

func play(l load, c contender, best ideal) figures {
	rec := newRecord(l, best)
	run(l, c, rec)
	return rec.figures()
}

// able reports whether the rule can do what the load asks.
func (c contender) able(l load) bool { return len(l.resizes) == 0 || !c.fixed }

func byName(name string) contender {
	for _, c := range contenders {
		if c.name == name {
			return c
		}
	}
	panic("no contender " + name)
}

// best is the best outcome of a scenario; the first of several.
func (r row) best() outcome {
	best := r.of(ours)
	for _, o := range r {
		if o.able && o.better(best) {
			best = o
		}
	}
	return best
}

func (o outcome) better(than outcome) bool {
	if o.scenario.more {
		return o.value() > than.value()
	}
	return o.value() < than.value()
}

func (r row) of(name string) outcome {
	for _, o := range r {
		if o.contender.name == name {
			return o
		}
	}
	panic("no outcome of " + name)
}

// near reports whether o is within 5% of the given outcome, or better.
func (o outcome) near(best outcome) bool {
	if o.scenario.more {
		return o.value() >= 0.95*best.value()
	}
	return o.value() <= 1.05*best.value()
}

// factor is how many times worse than the best an outcome is. Differences
// below the scenario's grain do not count.
func (r row) factor(o outcome) float64 {
	best, value, grain := r.best().value(), o.value(), o.scenario.grain
	if o.scenario.more {
		return best / value
	}
	return max(value, grain) / max(best, grain)
}
