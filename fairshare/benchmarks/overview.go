package main

import (
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg/draw"
)

// A grade is a color for how far an outcome is from the best.
type grade struct {
	upTo  float64
	color color.NRGBA
	text  color.NRGBA
	name  string
}

var grades = []grade{
	{1.05, color.NRGBA{0x0f, 0x7b, 0x8a, 0xff}, white, "best, or within 5%"},
	{1.25, color.NRGBA{0xa5, 0xd3, 0xd3, 0xff}, ink, "within 25%"},
	{2, color.NRGBA{0xf6, 0xe3, 0xb4, 0xff}, ink, "up to 2 times worse"},
	{10, color.NRGBA{0xec, 0xa9, 0x6b, 0xff}, ink, "up to 10 times"},
	{1e300, color.NRGBA{0xc6, 0x53, 0x3f, 0xff}, white, "beyond"},
}

var cannot = grade{color: color.NRGBA{0xf0, 0xf2, 0xf4, 0xff}, text: faint, name: "cannot"}

func (r row) grade(o outcome) grade {
	if !o.able {
		return cannot
	}
	for _, g := range grades {
		if r.factor(o) <= g.upTo {
			return g
		}
	}
	return grades[len(grades)-1]
}

// overview is every rule in every scenario, in colors.
func overview(dc draw.Canvas, rows []row) error {
	p := newPlot("Each scenario by what it is about: the figures, colored by how far they are from the best")
	n := len(contenders)
	namesDown(p, rows[0])
	var top []plot.Tick
	for i, r := range rows {
		top = append(top, plot.Tick{Value: float64(i), Label: r[0].scenario.id})
		for k, o := range r {
			y, g := float64(n-1-k), r.grade(o)
			box, err := area(square(float64(i), y, 0.48, 0.46), g.color)
			if err != nil {
				return err
			}
			value := "-"
			if o.able {
				value = short(o.value())
			}
			l, err := label(value, plotter.XY{X: float64(i), Y: y}, plain(10.5), g.text, text.XCenter)
			if err != nil {
				return err
			}
			p.Add(box, l)
		}
	}
	p.X.Tick.Marker = plot.ConstantTicks(top)
	p.X.Tick.Length, p.X.LineStyle.Width = 0, 0
	p.X.Tick.Label.Font, p.X.Tick.Label.Color = bold(12), ink
	p.X.Min, p.X.Max = -0.6, float64(len(rows))-0.4
	return withKey(dc, p, append(grades, cannot))
}

// withKey draws the plot above a line that tells the colors.
func withKey(dc draw.Canvas, p *plot.Plot, grades []grade) error {
	const height = 30
	p.Draw(draw.Crop(dc, 0, 0, height, 0))
	key := newPlot("")
	key.HideAxes()
	key.X.Min, key.X.Max, key.Y.Min, key.Y.Max = 0, float64(len(grades)), -1, 1
	for i, g := range grades {
		box, err := area(square(float64(i)+0.1, 0, 0.07, 0.6), g.color)
		if err != nil {
			return err
		}
		l, err := label(g.name, plotter.XY{X: float64(i) + 0.22, Y: 0}, plain(11), ink, text.XLeft)
		if err != nil {
			return err
		}
		key.Add(box, l)
	}
	key.Draw(draw.Crop(dc, 0, 0, 0, height-(dc.Max.Y-dc.Min.Y)))
	return nil
}

func square(x, y, wide, high float64) plotter.XYs {
	return plotter.XYs{{X: x - wide, Y: y - high}, {X: x + wide, Y: y - high}, {X: x + wide, Y: y + high}, {X: x - wide, Y: y + high}}
}

// short is a figure in few characters.
func short(x float64) string {
	switch {
	case x >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}
