package main

import (
	"fmt"
	"image/color"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A timeline is who holds how many slots, from change to change.
type timeline struct {
	at    []float64 // seconds
	held  [][]int   // at each of the times, by tenant
	first []float64 // when a tenant got its first slot since the start; NaN: never
}

// trace runs a load and keeps who held what between two times.
func trace(l load, c contender, from, until time.Duration) timeline {
	rec := newRecord(l, oracle(l, 1))
	now := make([]int, len(l.tenants))
	var out timeline
	for range l.tenants {
		out.first = append(out.first, math.NaN())
	}
	rec.trace = func(at time.Duration, tenant, held int) {
		if at > until {
			return
		}
		if at >= from && held > now[tenant] && math.IsNaN(out.first[tenant]) {
			out.first[tenant] = at.Seconds()
		}
		now[tenant] = held
		t := max(at, from).Seconds()
		if n := len(out.at); n == 0 || out.at[n-1] != t {
			out.at = append(out.at, t)
			out.held = append(out.held, make([]int, len(now)))
		}
		copy(out.held[len(out.held)-1], now)
	}
	run(l, c, rec)
	out.at = append(out.at, until.Seconds())
	return out
}

// stack draws the tenants on top of each other.
func (t timeline) stack(p *plot.Plot, names []string, colors []color.Color) error {
	floor := make([]int, len(t.held))
	for i, c := range colors {
		var top, bottom plotter.XYs
		for k, held := range t.held {
			y := float64(floor[k] + held[i])
			top = append(top, plotter.XY{X: t.at[k], Y: y}, plotter.XY{X: t.at[k+1], Y: y})
			bottom = append(bottom, plotter.XY{X: t.at[k], Y: float64(floor[k])}, plotter.XY{X: t.at[k+1], Y: float64(floor[k])})
			floor[k] += held[i]
		}
		for k := len(bottom) - 1; k >= 0; k-- {
			top = append(top, bottom[k])
		}
		a, err := area(top, c)
		if err != nil {
			return err
		}
		p.Add(a)
		if names != nil {
			p.Legend.Add(names[i], a)
		}
	}
	return nil
}

// panels draws plots below each other, aligned.
func panels(dc draw.Canvas, plots ...*plot.Plot) {
	grid := make([][]*plot.Plot, len(plots))
	for i, p := range plots {
		grid[i] = []*plot.Plot{p}
	}
	for i, row := range plot.Align(grid, draw.Tiles{Rows: len(plots), Cols: 1, PadY: 14}, dc) {
		plots[i].Draw(row[0])
	}
}

// slots is an empty timeline of a pool.
func slots(title string, from, until time.Duration, capacity int, step float64) *plot.Plot {
	p := newPlot(title)
	p.X.Min, p.X.Max = from.Seconds(), until.Seconds()
	p.Y.Min, p.Y.Max = 0, float64(capacity)
	p.Y.Label.Text = "slots held"
	p.Y.Tick.Marker = every(step)
	p.X.Tick.Marker = every(2)
	p.Legend.Top, p.Legend.XOffs, p.Legend.YOffs = true, 0, 24
	return p
}

// hogAndJoiner is scenario C for one newcomer, under FIFO and fairpool.
func hogAndJoiner(dc draw.Canvas, _ []row) error {
	const from, join, until = 6 * time.Second, 10 * time.Second, 26 * time.Second
	hold := exponential(time.Second)
	hog, joiner := backlogged(16, hold), backlogged(16, hold)
	hog.crews[0].workers, joiner.crews[0].from = 57, join
	l := load{capacity: 16, until: until, tenants: []tenant{hog, joiner}}.seeded(3)

	var plots []*plot.Plot
	for i, name := range []string{fifo, ours} {
		t := trace(l, byName(name), from, until)
		p := slots([]string{"First come, first served (x/sync/semaphore)", "fairpool"}[i], from, until, 16, 4)
		var names []string
		if i == 0 {
			names = []string{"hog: 57 workers", "newcomer: 17 workers"}
		}
		if err := t.stack(p, names, []color.Color{slate, accent}); err != nil {
			return err
		}
		mark, err := straight(plotter.XY{X: join.Seconds(), Y: 0}, plotter.XY{X: join.Seconds(), Y: 16}, ink, true)
		if err != nil {
			return err
		}
		wait := t.first[1] - join.Seconds()
		note := fmt.Sprintf("first slot after %.0f ms", 1000*wait)
		if wait >= 1 {
			note = fmt.Sprintf("first slot after %.1f s", wait)
		}
		asks, err := label("newcomer asks", plotter.XY{X: join.Seconds() - 0.15, Y: 2.6}, plain(12), ink, text.XRight)
		if err != nil {
			return err
		}
		gets, err := label(note, plotter.XY{X: join.Seconds() - 0.15, Y: 1.2}, bold(12), ink, text.XRight)
		if err != nil {
			return err
		}
		p.Add(mark, asks, gets)
		plots = append(plots, p)
	}
	plots[1].X.Label.Text = "seconds"
	panels(dc, plots...)
	return nil
}

// allOrNothing is scenario B with constant holds.
func allOrNothing(dc draw.Canvas, _ []row) error {
	const from, until = 20 * time.Second, 36 * time.Second
	l := two(constant(time.Second), quick).seeded(1)
	var plots []*plot.Plot
	for i, name := range []string{"slot-time (VTC)", "Kubernetes APF", ours} {
		t := trace(l, byName(name), from, until)
		p := slots(name, from, until, 16, 4)
		var names []string
		if i == 0 {
			names = []string{"one tenant", "the other"}
		}
		if err := t.stack(p, names, []color.Color{slate, accent}); err != nil {
			return err
		}
		plots = append(plots, p)
	}
	plots[2].X.Label.Text = "seconds"
	panels(dc, plots...)
	return nil
}

// resizedPool is scenario O under fairpool.
func resizedPool(dc draw.Canvas, _ []row) error {
	l := resized(quick).seeded(1)
	t := trace(l, byName(ours), 0, l.until)
	p := slots("fairpool while the capacity goes 10, 4, 12, 10, 4, 12", 0, l.until, 14, 2)
	if err := t.stack(p, []string{"20 workers, 100 ms holds", "40 workers, 500 ms", "80 workers, 1 s"},
		[]color.Color{slate, accent, third}); err != nil {
		return err
	}
	capacity := plotter.XYs{{X: 0, Y: float64(l.capacity)}}
	for _, r := range l.resizes {
		last := capacity[len(capacity)-1].Y
		capacity = append(capacity, plotter.XY{X: r.at.Seconds(), Y: last}, plotter.XY{X: r.at.Seconds(), Y: float64(r.capacity)})
	}
	capacity = append(capacity, plotter.XY{X: l.until.Seconds(), Y: capacity[len(capacity)-1].Y})
	c, err := plotter.NewLine(capacity)
	if err != nil {
		return err
	}
	c.Color, c.Width = ink, vg.Points(1.4)
	p.Add(c)
	p.Legend.Add("capacity", c)
	p.X.Tick.Marker = every(6)
	p.X.Label.Text = "seconds"
	p.Draw(dc)
	return nil
}
