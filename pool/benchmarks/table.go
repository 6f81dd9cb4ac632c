package main

import (
	"fmt"
	"io"
	"strconv"
)

// A table writes outcomes as Markdown, each as soon as it is known.
type table struct {
	w io.Writer
}

func (t table) head() {
	fmt.Fprintln(t.w, "| case | compared with | it needs | here | allocs it, here | ratio (quartiles) | target | met |")
	fmt.Fprintln(t.w, "|---|---|---:|---:|---:|---:|---|---|")
}

func (t table) row(o outcome) {
	base, allocs, ratio := "", number(o.oursAllocs.median), ""
	if o.base.open != nil {
		base = quantity(o.baseEach.median, o.unit)
		allocs = number(o.baseAllocs.median) + ", " + allocs
		ratio = fmt.Sprintf("%.2f (%.2f-%.2f)", o.ratio.median, o.ratio.low, o.ratio.high)
	}
	if o.unit == "B" {
		allocs = "" // bytes are what was counted
	}
	fmt.Fprintf(t.w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n",
		o.title, o.base.name, base, quantity(o.oursEach.median, o.unit), allocs, ratio, o.target.text, o.verdict())
}

func quantity(v float64, unit string) string { return fmt.Sprintf("%.0f %s", v, unit) }

// number shows what counts as nothing as 0.
func number(allocs float64) string {
	if allocs < noAllocs {
		return "0"
	}
	return fmt.Sprintf("%.2f", allocs)
}

// thousands writes n with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
