package main

import (
	"fmt"
	"io"
	"regexp"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
)

// printResult prints what each tenant got from each pool, and what the
// difference comes to. The tallies are those of each contender, by round.
func printResult(out io.Writer, tallies [][]*tally) error {
	var results []result
	for _, runs := range tallies {
		results = append(results, resultOf(runs))
	}
	_, err := lipgloss.Fprintf(out, "\n%s\n%s\n%s\n",
		trailing.ReplaceAllString(resultTable(results), ""), shortfall(results), closingLine(results[0], results[1]))
	return err
}

var trailing = regexp.MustCompile(`(?m) +$`)

func resultTable(pools []result) string {
	results := table.New().
		Border(lipgloss.NormalBorder()).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).
		StyleFunc(func(row, col int) lipgloss.Style {
			cell := lipgloss.NewStyle().Bold(row == table.HeaderRow)
			if col > 0 {
				cell = cell.PaddingLeft(3)
			}
			if col > 1 {
				cell = cell.Align(lipgloss.Right)
			}
			return cell
		}).
		Headers("pool", "tenant", "queries", "p50 wait", "p99 wait", "worst", "slot-time")
	for i, r := range pools {
		if i > 0 {
			results.Row()
		}
		results.Rows(r.rows()...)
	}
	return results.String()
}

func (r result) rows() (rows [][]string) {
	total := time.Duration(0)
	for _, s := range r.tenants {
		total += s.slotTime
	}
	pool := r.pool
	for i, s := range r.tenants {
		rows = append(rows, []string{
			pool, tenants[i], s.served(),
			short(s.p50), short(s.p99), short(s.worst),
			fmt.Sprintf("%.1f%%", 100*ratio(float64(s.slotTime), float64(total))),
		})
		pool = ""
	}
	return rows
}

// served is the number of queries done, out of how many where some were not.
func (s served) served() string {
	if s.givenUp == 0 {
		return fmt.Sprint(s.done)
	}
	return fmt.Sprintf("%d/%d", s.done, s.done+s.givenUp)
}

// shortfall explains the first entry of the table with queries not done.
func shortfall(results []result) string {
	for _, r := range results {
		for _, s := range r.tenants {
			if s.givenUp > 0 {
				return fmt.Sprintf("\n%s: the rest was not done when the run was over; waits in vain count too\n", s.served())
			}
		}
	}
	return ""
}

// closingLine says how the second pool changes the waits, whichever way.
func closingLine(first, second result) string {
	before, after := first.webWait, second.webWait
	wait := fmt.Sprintf("%s times shorter", times(ratio(float64(before), float64(after))))
	switch {
	case after == before:
		wait = "unchanged"
	case after > before:
		wait = fmt.Sprintf("%s times longer", times(ratio(float64(after), float64(before))))
	}
	line := fmt.Sprintf("web p99 wait %s (%s to %s)", wait, short(before), short(after))
	if second.rounds > 1 {
		line += fmt.Sprintf(", waits are medians of %d rounds", second.rounds)
	}
	return line
}

// summary is what is left to see of a run while the next one goes on.
func summary(t *tally) string {
	return fmt.Sprintf("%s: web p99 wait %s", t.pool, short(quantile(t.webWaits(), 0.99)))
}

func times(ratio float64) string {
	if ratio < 10 {
		return fmt.Sprintf("%.1f", ratio)
	}
	return fmt.Sprintf("%.0f", ratio)
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// short writes a duration with the digits that matter.
func short(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
