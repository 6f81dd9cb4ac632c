package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
)

// A table is the main one: it writes outcomes as Markdown, each as soon as it is
// known, and a few of them also where less room is.
type table struct {
	w, first io.Writer
}

func (t table) head() {
	fmt.Fprintln(t.w, "| case | compared with | it needs | here | allocs it, here | ratio (quartiles) | target | met |")
	fmt.Fprintln(t.w, "|---|---|---:|---:|---:|---:|---|---|")
	fmt.Fprintln(t.first, "| case | compared with | it needs | here | ratio (quartiles) |")
	fmt.Fprintln(t.first, "|---|---|---:|---:|---:|")
}

func (t table) row(o outcome) {
	base, allocs, ratio := "", number(o.oursAllocs.median), ""
	if o.base != "" {
		base = quantity(o.baseEach.median, o.unit)
		allocs = number(o.baseAllocs.median) + ", " + allocs
		ratio = o.ratio.text("%.2f")
	}
	if o.bare {
		allocs = ""
	}
	fmt.Fprintf(t.w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n",
		o.title, o.base, base, quantity(o.oursEach.median, o.unit), allocs, ratio, o.target.text, o.verdict())
	if o.first {
		fmt.Fprintf(t.first, "| %s | %s | %s | %s | %s |\n", o.title, o.base, base, quantity(o.oursEach.median, o.unit), ratio)
	}
}

func quantity(v float64, unit string) string { return whole(v) + " " + unit }

// whole is v without decimals, and without the sign of a zero.
func whole(v float64) string { return fmt.Sprintf("%.0f", math.Round(v)+0) }

// number shows what counts as nothing as 0.
func number(allocs float64) string {
	if allocs < noAllocs {
		return "0"
	}
	return fmt.Sprintf("%.2f", allocs)
}

// signed shows a difference, one that rounds to nothing as 0.
func signed(v float64, format string) string {
	if text := fmt.Sprintf(format, max(v, -v)); text == fmt.Sprintf(format, 0.0) {
		return "0"
	}
	return fmt.Sprintf("%+"+format[1:], v)
}

// text is the median with the quartiles in brackets.
func (s spread) text(format string) string {
	return fmt.Sprintf(format+" ("+format+"-"+format+")", s.median, s.low, s.high)
}

func (s spread) in(unit string) string {
	return fmt.Sprintf("%s (%s-%s)", quantity(s.median, unit), whole(s.low), whole(s.high))
}

// signed is text for differences.
func (s spread) signed(unit string) string {
	return fmt.Sprintf("%s %s (%s to %s)", signed(s.median, "%.0f"), unit, signed(s.low, "%.0f"), signed(s.high, "%.0f"))
}

// thousands writes n with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
