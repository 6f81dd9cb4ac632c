package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// throughput compares how many queries 64 clients of 16 tenants get done.
func throughput(ctx context.Context, at servers, rounds int) error {
	fmt.Println("| 64 clients, 16 tenants, 8 connections | pgxpool | pgxfair | ratio (quartiles of rounds) |")
	fmt.Println("|---|---:|---:|---:|")
	for _, row := range []struct {
		name, sql string
		told      scope
		pooled    bool
	}{
		{"`select 1`", "select 1", never, false},
		{"sum over 1,000 rows", "select sum(n) from generate_series(1, 1000) n", never, false},
		{"`select pg_sleep(0.002)`", "select pg_sleep(0.002)", never, false},
		{"`select 1`, with the tenant in the session", "select 1", inSession, false},
		{"`select 1`, with the tenant in the transaction", "select 1", inTransaction, false},
		{"the same behind PgBouncer in transaction mode", "select 1", inTransaction, true},
	} {
		var ratios []float64
		var rates [2][]float64
		for range rounds {
			now, err := takeTurns(ctx, at.url(row.pooled), row.sql, row.told)
			if err != nil {
				return err
			}
			rates[0], rates[1] = append(rates[0], now[0]), append(rates[1], now[1])
			ratios = append(ratios, now[1]/now[0])
		}
		fmt.Printf("| %s | %.0f/s | %.0f/s | %s |\n", row.name, median(rates[0]), median(rates[1]), quartiles(ratios))
	}
	fmt.Println()
	return nil
}

// takeTurns returns the rates of both, which run a tenth of a second in turn.
func takeTurns(ctx context.Context, url, sql string, told scope) (rates [2]float64, err error) {
	both, err := contenders(ctx, url, told)
	if err != nil {
		return rates, err
	}
	defer both[0].Close()
	defer both[1].Close()
	const turns = 16
	for i := range turns {
		who := (i + i/2) % 2
		r, err := rate(ctx, both[who], sql, 100*time.Millisecond)
		if err != nil {
			return rates, err
		}
		rates[who] += r / (turns / 2)
	}
	return rates, nil
}

// rate returns how many queries a second get done.
func rate(ctx context.Context, c contender, sql string, lasting time.Duration) (float64, error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var clients sync.WaitGroup
	start := time.Now()
	for client := range 64 {
		ctx := fairshare.WithTenant(ctx, "tenant-"+strconv.Itoa(client%16))
		clients.Go(func() {
			for time.Since(start) < lasting {
				if _, err := c.Exec(ctx, sql); err != nil {
					err = fmt.Errorf("%s: %w", c.name, err)
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	clients.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(start).Seconds(), nil
}
