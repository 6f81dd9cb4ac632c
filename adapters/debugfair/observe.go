package debugfair

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/fairpool/fairpool/pool"
)

// What is shown of a pool at most.
const (
	mostHolders = 50
	mostStacks  = 8
	mostFigures = 24
)

// A watched is a pool with what is remembered of it.
type watched struct {
	Pool
	history  history
	palette  palette
	fairness fairness
	minute   minute
	before   mark // the sample before
}

// An observation is what a pool looks like at a moment.
type observation struct {
	stats   pool.Stats
	ranked  []tenant // who has a colour, and those that matter most
	active  int      // tenants that hold or wait
	held    int      // by all
	waiting int
	holders []pool.Holder // for longest
	leases  int
	figures [][2]string
	err     error // of the Source
}

// observe asks the pool. It runs code of the user.
func (w *watched) observe(now time.Time) (o observation) {
	defer func() {
		if v := recover(); v != nil {
			o.err = &pool.PanicError{Func: fmt.Sprintf("debugfair: Source of pool %q", w.Name), Value: v, Stack: string(debug.Stack())}
		}
	}()
	lasted := time.Duration(0)
	if !w.before.at.IsZero() {
		lasted = min(now.Sub(w.before.at), stepTime)
	}
	o.stats = w.Source.Stats()
	w.fairness.forward(now)
	most := []top{
		{by: func(t *tenant) int { return t.Held }},
		{by: func(t *tenant) int { return t.Waiting }},
		{by: func(t *tenant) int { return int(t.OldestWait) }},
	}
	for name, stats := range w.Source.Tenants() {
		t := tenant{short(name), stats}
		has := w.palette.of(t.name) < colors
		if has {
			o.ranked = append(o.ranked, t)
		}
		if t.Held == 0 && t.Waiting == 0 {
			continue
		}
		o.active++
		o.held += t.Held
		o.waiting += t.Waiting
		w.fairness.add(t.name, t.Held, t.Entitled, lasted)
		for i := range most {
			if !has {
				most[i].offer(&t)
			}
		}
	}
	o.ranked = union(o.ranked, most)
	for h := range w.Source.Holders() {
		h.Tenant = short(h.Tenant)
		o.leases++
		at, _ := slices.BinarySearchFunc(o.holders, h.Held, func(x pool.Holder, held time.Duration) int {
			return cmp.Compare(held, x.Held)
		})
		if at < mostHolders {
			o.holders = slices.Insert(o.holders, at, h)
			o.holders = o.holders[:min(len(o.holders), mostHolders)]
		}
	}
	if w.Figures != nil {
		for name, value := range w.Figures() {
			if len(o.figures) == mostFigures {
				break
			}
			o.figures = append(o.figures, [2]string{label(name), label(value)})
		}
	}
	return o
}

// uses is how much the tenants use, for the palette: what they hold and, for
// less, that they wait.
func (o *observation) uses() []use {
	var uses []use
	for _, t := range o.ranked {
		if t.Held == 0 && t.Waiting == 0 {
			continue
		}
		uses = append(uses, use{t.name, float64(t.Held) + float64(min(t.Waiting, 4))/4})
	}
	return uses
}

// moment is what is to be remembered of it.
func (w *watched) moment(now time.Time, seq uint64, o *observation) moment {
	s := o.stats
	m := moment{
		At: now, Seq: seq, Capacity: s.Capacity, Idle: s.Warm, Building: s.Building,
		Moving: s.Checking + max(0, s.Leased+s.Resetting+s.Destroying-o.held),
		Oldest: milliseconds(s.OldestWait), Rate: nothing, Fairness: w.fairness.index(),
	}
	m.Held[colors], m.Waiting[colors] = o.held, o.waiting
	for _, t := range o.ranked {
		if c := w.palette.of(t.name); c < colors {
			m.Held[c], m.Waiting[c] = t.Held, t.Waiting
			m.Held[colors] -= t.Held
			m.Waiting[colors] -= t.Waiting
		}
	}
	w.minute.waiting(&m, s, w.Waits)
	passed := now.Sub(w.before.at).Seconds()
	if !w.before.at.IsZero() && passed > 0 && s.Acquired >= w.before.acquired {
		m.Rate = number(float64(s.Acquired-w.before.acquired) / passed)
	}
	w.before = mark{at: now, acquired: s.Acquired}
	return m
}
