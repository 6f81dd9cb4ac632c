package main

import (
	"context"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// latency compares a query with nobody else about. The two take turns of a
// thousand: what is left to be done after a query is at the expense of the next
// one, which is to be one's own.
func latency(ctx context.Context, at servers, rounds int) error {
	fmt.Println("| one client, time of a query | pgxpool | pgxfair | ratio (quartiles of rounds) |")
	fmt.Println("|---|---:|---:|---:|")
	for _, row := range []struct {
		name, sql string
		told      scope
		pooled    bool
	}{
		{"`select 1`", "select 1", never, false},
		{"sum over 1,000 rows", "select sum(n) from generate_series(1, 1000) n", never, false},
		{"`select 1`, with the tenant in the session", "select 1", inSession, false},
		{"`select 1`, with the tenant in the transaction", "select 1", inTransaction, false},
		{"the same behind PgBouncer in transaction mode", "select 1", inTransaction, true},
	} {
		var ratios []float64
		var medians [2][]time.Duration
		for range rounds {
			both, err := contenders(ctx, at.url(row.pooled), row.told) // anew: some backends are faster than others
			if err != nil {
				return err
			}
			took, err := alternate(fairshare.WithTenant(ctx, "acme"), both, row.sql, 4)
			both[0].Close()
			both[1].Close()
			if err != nil {
				return err
			}
			one, other := median(took[0]), median(took[1])
			medians[0], medians[1] = append(medians[0], one), append(medians[1], other)
			ratios = append(ratios, float64(other)/float64(one))
		}
		fmt.Printf("| %s | %.1f µs | %.1f µs | %s |\n", row.name, micros(median(medians[0])), micros(median(medians[1])), quartiles(ratios))
	}
	fmt.Println()
	return nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func alternate(ctx context.Context, both [2]contender, sql string, turns int) (took [2][]time.Duration, err error) {
	for turn := range 2 * turns {
		who := (turn + turn/2) % 2 // neither is always the first
		for range 1000 {
			start := time.Now()
			var result int64
			if err := both[who].QueryRow(ctx, sql).Scan(&result); err != nil {
				return took, fmt.Errorf("%s: %w", both[who].name, err)
			}
			took[who] = append(took[who], time.Since(start))
		}
	}
	return took, nil
}
