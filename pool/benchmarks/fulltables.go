package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// write writes the whole page.
func (p page) write(w io.Writer, machine string, results []result) {
	fmt.Fprintf(w, "# %s\n\n%s\n%s\n", p.title, p.about, machine)
	p.show(w, results)
}

// showSides writes a table for each trial, a line for each side.
func showSides(w io.Writer, results []result) {
	for _, r := range results {
		words := []string{"with"}
		if r.sides[0].lends != "" {
			words = []string{"lender", "lends"}
		}
		var columns []string
		columns = append(columns, "each (quartiles)")
		if r.unit != "B" {
			columns = append(columns, "allocs")
		}
		if r.crowd {
			columns = append(columns, "never served")
		}
		for _, ours := range r.ours {
			columns = append(columns, ours+" / it")
		}
		fmt.Fprintf(w, "\n## %s\n\n", r.title)
		head(w, words, columns)
		for _, s := range r.sides {
			cells := []string{s.name, s.lends}[:len(words)]
			cells = append(cells, r.spread(s.name, each).in(r.unit))
			if r.unit != "B" {
				cells = append(cells, number(r.spread(s.name, allocs).median))
			}
			if r.crowd {
				cells = append(cells, fmt.Sprintf("%.0f%%", 100*r.spread(s.name, unserved).median))
			}
			for _, ours := range r.ours {
				cells = append(cells, ratioCell(r, ours, s.name, each))
			}
			line(w, cells)
		}
	}
}

// quantiles are those of the latencies that are shown.
var quantiles = []struct {
	name string
	at   float64
}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}}

// showLatencies writes the quantiles of all rounds together.
func showLatencies(w io.Writer, results []result) {
	for _, r := range results {
		fmt.Fprintf(w, "\n## %s\n\n", r.title)
		columns := []string{"hand-offs"}
		for _, q := range quantiles {
			columns = append(columns, q.name)
		}
		columns = append(columns, "most")
		for _, q := range quantiles {
			columns = append(columns, fmt.Sprintf("%s: %s / it", q.name, r.ours[0]))
		}
		head(w, []string{"lender", "lends"}, columns)
		for _, s := range r.sides {
			h := r.latencies(s.name)
			cells := []string{s.name, s.lends, thousands(int(h.TotalCount()))}
			for _, q := range quantiles {
				cells = append(cells, quantity(float64(h.ValueAtQuantile(100*q.at)), r.unit))
			}
			cells = append(cells, quantity(float64(h.Max()), r.unit))
			for _, q := range quantiles {
				cells = append(cells, ratioCell(r, r.ours[0], s.name, quantileOf(q.at)))
			}
			line(w, cells)
		}
	}
}

// showOptions writes a line for each option: what it adds to either manner.
func showOptions(w io.Writer, results []result) {
	type costs struct{ acquire, do *result }
	var order []string
	of := make(map[string]*costs)
	for _, r := range results {
		c := of[r.title]
		if c == nil {
			c = new(costs)
			of[r.title] = c
			order = append(order, r.title)
		}
		if strings.HasPrefix(r.name, "options/"+doing.name+"/") {
			c.do = &r
		} else {
			c.acquire = &r
		}
	}
	fmt.Fprintln(w)
	head(w, []string{"option"}, []string{"Acquire+Release: plain", "more", "allocs", "Do: plain", "more", "allocs"})
	for _, name := range order {
		cells := []string{name}
		for _, r := range []*result{of[name].acquire, of[name].do} {
			if r == nil {
				cells = append(cells, "", "", "")
				continue
			}
			cells = append(cells,
				quantity(r.spread(plain, each).median, r.unit),
				r.beyond(name, plain, each).signed(r.unit),
				signed(r.beyond(name, plain, allocs).median, "%.2f"))
		}
		line(w, cells)
	}
}

func ratioCell(r result, over, under string, v value) string {
	if over == under || r.spread(under, v).low < 1 { // next to nothing
		return ""
	}
	return r.ratio(over, under, v).text("%.2f")
}

// head writes the heads of columns of words, and of figures.
func head(w io.Writer, words, figures []string) {
	line(w, slices.Concat(words, figures))
	line(w, slices.Concat(
		slices.Repeat([]string{"---"}, len(words)),
		slices.Repeat([]string{"---:"}, len(figures))))
}

func line(w io.Writer, cells []string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}
