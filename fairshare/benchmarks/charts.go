package main

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"

	weights "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A chart is a picture of the results.
type chart struct {
	file   string
	width  vg.Length
	height vg.Length
	draw   func(draw.Canvas, []row) error
}

var charts = []chart{
	{"overview.svg", 860, 560, overview},
	{"hog-and-joiner.svg", 860, 520, hogAndJoiner},
	{"all-or-nothing.svg", 860, 620, allOrNothing},
	{"short-holds.svg", 860, 330, shortHolds},
	{"light-tenant.svg", 860, 400, lightTenant},
	{"resized.svg", 860, 300, resizedPool},
}

func (c chart) write(w io.Writer, rows []row) error {
	canvas := &canvas{Canvas: vgsvg.New(c.width, c.height)}
	dc := draw.New(canvas)
	dc.SetColor(color.White)
	dc.Fill(dc.Rectangle.Path())
	if err := c.draw(draw.Crop(dc, 14, -14, 12, -14), rows); err != nil {
		return err
	}
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	_, err := w.Write(canvas.fit(svg.Bytes()))
	return err
}

// A canvas remembers how wide its texts are in the font that they were laid
// out in, so that they take up the same room in the one that a reader has.
type canvas struct {
	*vgsvg.Canvas
	widths []vg.Length
}

func (c *canvas) FillString(f font.Face, at vg.Point, s string) {
	c.widths = append(c.widths, f.Width(s))
	c.Canvas.FillString(f, at, s)
}

var opening = []byte("<text ")

// single is the width of a letter, which looks odd when it is stretched.
const single vg.Length = 12

// fit gives the texts of the picture their widths, and other fonts to fall
// back on.
func (c *canvas) fit(svg []byte) []byte {
	var out bytes.Buffer
	for i, part := range bytes.SplitAfter(svg, opening) {
		out.Write(part)
		if i < len(c.widths) && c.widths[i] > single {
			fmt.Fprintf(&out, `textLength="%.2f" lengthAdjust="spacingAndGlyphs" `, c.widths[i].Points())
		}
	}
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
}

var (
	white  = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	ink    = color.NRGBA{0x24, 0x29, 0x2f, 0xff}
	faint  = color.NRGBA{0x6e, 0x77, 0x81, 0xff}
	grid   = color.NRGBA{0xe6, 0xe9, 0xed, 0xff}
	slate  = color.NRGBA{0xb3, 0xbd, 0xc9, 0xff} // who was there first; other rules
	accent = color.NRGBA{0x0f, 0x7b, 0x8a, 0xff} // whom it is about; fairpool
	third  = color.NRGBA{0xe2, 0x9a, 0x3b, 0xff}
)

func plain(size font.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func bold(size font.Length) font.Font {
	f := plain(size)
	f.Weight = weights.WeightBold
	return f
}

// newPlot is an empty plot in the style of all of them.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle.Font = bold(14)
	p.Title.TextStyle.Color = ink
	p.Title.TextStyle.XAlign = text.XCenter
	p.Title.Padding = 8
	p.BackgroundColor = color.Transparent
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Color = grid
		a.Tick.LineStyle.Color = grid
		a.Tick.Label.Font = plain(11)
		a.Tick.Label.Color = faint
		a.Label.TextStyle.Font = plain(12)
		a.Label.TextStyle.Color = faint
		a.Padding = 4
	}
	p.Legend.TextStyle.Font = plain(12)
	p.Legend.TextStyle.Color = ink
	p.Legend.Top = true
	p.Legend.ThumbnailWidth = 14
	p.Legend.Padding = 4
	return p
}

// every is a tick at each multiple of step.
func every(step float64) plot.Ticker {
	return plot.TickerFunc(func(low, high float64) (ticks []plot.Tick) {
		for k := math.Ceil(low / step); k*step <= high+step*1e-9; k++ {
			ticks = append(ticks, plot.Tick{Value: k * step, Label: strconv.FormatFloat(k*step, 'g', 6, 64)})
		}
		return ticks
	})
}

// label is a text at a place in the units of the plot.
func label(s string, at plotter.XY, f font.Font, c color.Color, x text.XAlignment) (*plotter.Labels, error) {
	l, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{at}, Labels: []string{s}})
	if err != nil {
		return nil, err
	}
	l.TextStyle[0].Font, l.TextStyle[0].Color = f, c
	l.TextStyle[0].XAlign, l.TextStyle[0].YAlign = x, text.YCenter
	return l, nil
}

// straight is a line between two places.
func straight(from, to plotter.XY, c color.Color, dashed bool) (*plotter.Line, error) {
	l, err := plotter.NewLine(plotter.XYs{from, to})
	if err != nil {
		return nil, err
	}
	l.Color, l.Width = c, 1.2
	if dashed {
		l.Dashes = []vg.Length{4, 3}
	}
	return l, nil
}

// area is a filled polygon.
func area(xys plotter.XYs, c color.Color) (*plotter.Polygon, error) {
	p, err := plotter.NewPolygon(xys)
	if err != nil {
		return nil, err
	}
	p.Color, p.LineStyle.Width = c, 0
	return p, nil
}
