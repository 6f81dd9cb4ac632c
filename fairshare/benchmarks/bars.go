package main

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// rowOf is the row of the scenario with the given name.
func rowOf(rows []row, id string) row {
	for _, r := range rows {
		if r[0].scenario.id == id {
			return r
		}
	}
	panic("no scenario " + id)
}

// namesDown has the y axis name the rules, the first on top.
func namesDown(p *plot.Plot, r row) {
	var ticks []plot.Tick
	for i, o := range r {
		ticks = append(ticks, plot.Tick{Value: float64(len(r) - 1 - i), Label: o.contender.name})
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Length, p.Y.LineStyle.Width = 0, 0
	p.Y.Tick.Label.Font, p.Y.Tick.Label.Color = plain(12), ink
	p.Y.Min, p.Y.Max = -0.6, float64(len(r))-0.4
}

// bar is a horizontal bar with its value written at its end: behind it, or
// inside if there is room.
func bar(p *plot.Plot, from, to, y, thick float64, c color.NRGBA, note string, inside bool) error {
	box, err := area(plotter.XYs{{X: from, Y: y - thick/2}, {X: to, Y: y - thick/2}, {X: to, Y: y + thick/2}, {X: from, Y: y + thick/2}}, c)
	if err != nil {
		return err
	}
	align, gap, written := text.XLeft, vg.Length(4), ink
	if inside {
		align, gap = text.XRight, -4
		if c == accent {
			written = white
		}
	}
	l, err := label(note, plotter.XY{X: to, Y: y}, plain(11), written, align)
	if err != nil {
		return err
	}
	l.Offset = vg.Point{X: gap, Y: 2.5}
	p.Add(box, l)
	return nil
}

// shortHolds is the part of the slot-time in scenario A that the tenants with
// short holds get.
func shortHolds(dc draw.Canvas, rows []row) error {
	r := rowOf(rows, "A")
	p := newPlot("Who holds for 10 ms beside who holds for 1 s: part of all slot-time (scenario A)")
	namesDown(p, r)
	p.X.Min, p.X.Max = 0, 1
	p.X.Tick.Marker = every(0.1)
	ideal, err := straight(plotter.XY{X: 0.5, Y: -0.6}, plotter.XY{X: 0.5, Y: float64(len(r)) - 0.4}, ink, true)
	if err != nil {
		return err
	}
	for i, o := range r {
		c := slate
		if o.contender.name == ours {
			c = accent
		}
		if err := bar(p, 0, o.first, float64(len(r)-1-i), 0.66, c, number(o.first), o.first > 0.1); err != nil {
			return err
		}
	}
	p.Add(ideal)
	p.X.Label.Text = "0.5 is fair: half of the tenants have short holds"
	p.Draw(dc)
	return nil
}

// lightTenant is the waits in scenario D, on a logarithmic scale.
func lightTenant(dc draw.Canvas, rows []row) error {
	r := rowOf(rows, "D")
	p := newPlot("How long a light tenant waits beside ten heavy ones (scenario D)")
	namesDown(p, r)
	const least = 0.01
	p.X.Scale = plot.LogScale{}
	p.X.Min, p.X.Max = least, 60
	p.X.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: 0.01, Label: "10 ms"}, {Value: 0.1, Label: "100 ms"}, {Value: 1, Label: "1 s"}, {Value: 10, Label: "10 s"}})
	for i, o := range r {
		y := float64(len(r) - 1 - i)
		c := slate
		if o.contender.name == ours {
			c = accent
		}
		if err := bar(p, least, math.Max(least, o.p50), y+0.2, 0.34, lighter(c), number(o.p50)+" s", false); err != nil {
			return err
		}
		if err := bar(p, least, math.Max(least, o.p99), y-0.2, 0.34, c, number(o.p99)+" s", false); err != nil {
			return err
		}
	}
	p.X.Label.Text = "wait, logarithmic; the upper bar is the median, the lower one p99"
	p.Draw(dc)
	return nil
}

func lighter(c color.NRGBA) color.NRGBA {
	half := func(x uint8) uint8 { return uint8((int(x) + 255) / 2) }
	return color.NRGBA{half(c.R), half(c.G), half(c.B), 255}
}
