package main

import (
	"image/color"
	"os"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// drawn are the runs in the picture, each with its color.
var drawn = map[string]color.Color{
	"fairpool, fixed, right: 8":     color.Gray{140},
	"fairpool, adaptive from 1":     color.RGBA{0x1b, 0x7f, 0x5c, 255},
	"fairpool, adaptive from 100":   color.RGBA{0x1f, 0x5f, 0xbf, 255},
	"failsafe-go, adaptive from 20": color.RGBA{0xd9, 0x7a, 0x00, 255},
}

// draw writes three charts above each other: the limit, the requests served and the
// 99th percentile of the small tenants, over the seconds of the run.
func draw(file string, runs []*tally, phase time.Duration) error {
	charts := []struct {
		label string
		value func(second) float64
	}{
		{"limit", func(s second) float64 { return float64(max(s.limit, 1)) }},
		{"served a second", func(s second) float64 { return float64(s.served) }},
		{"p99 of small tenants, ms", func(s second) float64 { return float64(max(s.quantile(0.99).Milliseconds(), 1)) }},
	}
	rows := make([][]*plot.Plot, len(charts))
	for i, c := range charts {
		p := plot.New()
		p.Y.Label.Text = c.label
		if i != 1 {
			p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{}
		}
		p.Add(plotter.NewGrid())
		for _, t := range runs {
			shade, ok := drawn[t.name]
			if !ok {
				continue
			}
			points := make(plotter.XYs, len(t.seconds))
			for at, s := range t.seconds {
				points[at] = plotter.XY{X: float64(at + 1), Y: c.value(s)}
			}
			line, err := plotter.NewLine(points)
			if err != nil {
				return err
			}
			line.Color, line.Width = shade, vg.Points(1.5)
			p.Add(line)
			if i == 0 {
				p.Legend.Add(t.name, line)
			}
		}
		p.Legend.Top = true
		rows[i] = []*plot.Plot{p}
	}
	rows[0][0].Title.Text = "8 places, hidden; the work takes 20 ms, 40 ms from " + phase.String() + ", 20 ms from " + (2 * phase).String()
	rows[len(rows)-1][0].X.Label.Text = "seconds"
	canvas := vgsvg.New(vg.Points(760), vg.Points(720))
	dc := vgdraw.New(canvas)
	tiles := vgdraw.Tiles{Rows: len(rows), Cols: 1, PadY: vg.Points(8), PadTop: vg.Points(4), PadBottom: vg.Points(4), PadLeft: vg.Points(4), PadRight: vg.Points(8)}
	for i, cells := range plot.Align(rows, tiles, dc) {
		rows[i][0].Draw(cells[0])
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
