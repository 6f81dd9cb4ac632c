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
// difference comes to.
func printResult(out io.Writer, tallies []*tally) error {
	_, err := lipgloss.Fprintf(out, "\n%s\n%s\n%s\n",
		trailing.ReplaceAllString(resultTable(tallies), ""), shortfall(tallies), closingLine(tallies[0], tallies[1]))
	return err
}

var trailing = regexp.MustCompile(`(?m) +$`)

func resultTable(tallies []*tally) string {
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
	for i, t := range tallies {
		if i > 0 {
			results.Row()
		}
		results.Rows(resultRows(t)...)
	}
	return results.String()
}

func resultRows(t *tally) (rows [][]string) {
	total := time.Duration(0)
	for _, a := range t.accounts {
		total += a.slotTime
	}
	pool := t.pool
	for i, a := range t.accounts {
		rows = append(rows, []string{
			pool, tenants[i], a.served(),
			short(quantile(a.waits, 0.50)), short(quantile(a.waits, 0.99)), short(quantile(a.waits, 1)),
			fmt.Sprintf("%.1f%%", 100*ratio(float64(a.slotTime), float64(total))),
		})
		pool = ""
	}
	return rows
}

// served is the number of queries done, out of how many where some were not.
func (a *account) served() string {
	if a.givenUp == 0 {
		return fmt.Sprint(a.done)
	}
	return fmt.Sprintf("%d/%d", a.done, a.done+a.givenUp)
}

// shortfall explains the first entry of the table with queries not done.
func shortfall(tallies []*tally) string {
	for _, t := range tallies {
		for _, a := range t.accounts {
			if a.givenUp > 0 {
				return fmt.Sprintf("\n%s: the rest was not done when the run was over; waits in vain count too\n", a.served())
			}
		}
	}
	return ""
}

// closingLine says what the second run changed, whichever way.
func closingLine(first, second *tally) string {
	before, after := quantile(first.webWaits(), 0.99), quantile(second.webWaits(), 0.99)
	wait := fmt.Sprintf("%s times shorter", times(ratio(float64(before), float64(after))))
	switch {
	case after == before:
		wait = "unchanged"
	case after > before:
		wait = fmt.Sprintf("%s times longer", times(ratio(float64(after), float64(before))))
	}
	change := 100 * (ratio(second.throughput(), first.throughput()) - 1)
	return fmt.Sprintf("web p99 wait %s (%s to %s), batch throughput %+.1f%%", wait, short(before), short(after), change)
}

// summary is what is left to see of a run while the next one goes on.
func summary(t *tally) string {
	return fmt.Sprintf("%s: web p99 wait %s, batch %.1f queries/s", t.pool, short(quantile(t.webWaits(), 0.99)), t.throughput())
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
