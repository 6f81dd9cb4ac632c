package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// number is a figure as the tables show it.
func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "-"
	case x == 0:
		return "0"
	case math.Abs(x) < 10:
		return strconv.FormatFloat(x, 'f', 3, 64)
	}
	return strconv.FormatFloat(x, 'f', 1, 64)
}

// writeMarkdown writes the overview, and a table for each scenario.
func writeMarkdown(w io.Writer, rows []row) error {
	var b strings.Builder
	b.WriteString("# Fairness, measured side by side\n\n" +
		"Measured by `go run ./fairshare/benchmarks`; how to read it is told in [the README](../README.md).\n" +
		"In bold what is best or within 5% of it. In the last column, whether fairpool without any setting is.\n\n")
	writeOverview(&b, rows)
	b.WriteString("\n## The rules\n\n")
	for _, c := range contenders {
		fmt.Fprintf(&b, "- **%s**: %s.\n", c.name, c.about)
	}
	for _, r := range rows {
		writeScenario(&b, r)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeOverview(b *strings.Builder, rows []row) {
	b.WriteString("| | what it is about | ideal |")
	for _, c := range contenders {
		fmt.Fprintf(b, " %s |", c.name)
	}
	b.WriteString(" fairpool is |\n|---|---|---:|" + strings.Repeat("---:|", len(contenders)) + "---|\n")
	for _, r := range rows {
		sc := r[0].scenario
		fmt.Fprintf(b, "| %s | %s | %s |", sc.id, sc.title(), sc.bound())
		best := r.best()
		for _, o := range r {
			switch {
			case !o.able:
				b.WriteString(" cannot |")
			case o.near(best):
				fmt.Fprintf(b, " **%s** |", number(o.value()))
			default:
				fmt.Fprintf(b, " %s |", number(o.value()))
			}
		}
		fmt.Fprintf(b, " %s |\n", r.verdict())
	}
}

func (s *scenario) title() string {
	if s.unit != "" {
		return s.metric + ", " + s.unit
	}
	return s.metric
}

// bound is the ideal, and which way is better.
func (s *scenario) bound() string {
	if s.more {
		return "up to " + number(s.ideal)[:1]
	}
	return "least"
}

// verdict says whether fairpool's default is the best or near it; if not, also
// whether it is so among the rules that leave no more slots unused.
func (r row) verdict() string {
	best, ours := r.best(), r.of(ours)
	switch {
	case number(ours.value()) == number(best.value()):
		return "best"
	case ours.near(best):
		return "within 5% of " + best.contender.name
	}
	said := "**not best**: " + best.contender.name + " is"
	if unused := 100 * (1 - best.utilization); unused >= 0.1 {
		said += fmt.Sprintf(", which leaves %.1f%% of the slot-time unused", unused)
	}
	var thrifty row
	for _, o := range r {
		if o.able && o.utilization >= ours.utilization-0.0005 {
			thrifty = append(thrifty, o)
		}
	}
	if ours.near(thrifty.best()) {
		said += "; best or within 5% of it among those that leave none"
	}
	return said
}

func writeScenario(b *strings.Builder, r row) {
	sc := r[0].scenario
	fmt.Fprintf(b, "\n## %s: %s\n\n%s.\n\n", sc.id, sc.title(), sc.about)
	if p50, p99 := r[0].alonep50, r[0].alonep99; !math.IsNaN(p50) {
		fmt.Fprintf(b, "With the pool alone, the light tenant would wait %s s at p50 and %s s at p99.\n\n", number(p50), number(p99))
	}
	b.WriteString("| rule | Jain's index | largest lag, s | least of the ideal | reached whom it belongs to | mean wait, s | p50 wait, s | p99 wait, s | utilization | std. dev. of held |\n" +
		"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, o := range r {
		if !o.able {
			fmt.Fprintf(b, "| %s | its capacity is fixed |%s\n", o.contender.name, strings.Repeat(" |", 8))
			continue
		}
		fmt.Fprintf(b, "| %s |", o.contender.name)
		for _, x := range o.all() {
			fmt.Fprintf(b, " %s |", number(x))
		}
		b.WriteString("\n")
	}
}

// all are the figures in the order of the columns.
func (f figures) all() []float64 {
	return []float64{f.jain, f.lag, f.worst, f.match, f.mean, f.p50, f.p99, f.utilization, f.deviation}
}

var columns = []string{"scenario", "rule", "metric", "value", "jain", "largest_lag_s", "least_of_ideal", "reached_owner",
	"mean_wait_s", "p50_wait_s", "p99_wait_s", "utilization", "stddev_held", "alone_p50_s", "alone_p99_s", "grants_beyond_capacity"}

// writeCSV writes one line for each rule in each scenario. An empty field is a
// figure that the scenario does not have.
func writeCSV(w io.Writer, rows []row) error {
	out := csv.NewWriter(w)
	lines := [][]string{columns}
	for _, r := range rows {
		for _, o := range r {
			if !o.able {
				continue
			}
			line := []string{o.scenario.id, o.contender.name, o.scenario.title(), field(o.value())}
			for _, x := range append(o.all(), o.alonep50, o.alonep99) {
				line = append(line, field(x))
			}
			lines = append(lines, append(line, strconv.Itoa(o.excess)))
		}
	}
	return out.WriteAll(lines)
}

func field(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}
