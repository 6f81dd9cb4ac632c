package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

const (
	slowQueries  = 1000
	shortTenants = 10
	shortQueries = 100 // of each
	pause        = 20 * time.Millisecond
)

// neighbour compares what ten tenants with short queries notice of one that asks
// for a thousand slow ones at once.
func neighbour(ctx context.Context, at servers, rounds int) error {
	both, err := contenders(ctx, at.url(false), never)
	if err != nil {
		return err
	}
	defer both[0].Close()
	defer both[1].Close()
	var ratios []float64
	var all [2]outcome
	for round := range max(1, rounds/3) {
		var rates [2]float64
		for i := range both {
			who := (i + round) % 2
			o, err := crowd(ctx, both[who])
			if err != nil {
				return err
			}
			rates[who] = o.rates[0]
			all[who].add(o)
		}
		ratios = append(ratios, rates[1]/rates[0])
	}
	fmt.Println("| 1,000 slow queries of one tenant, 100 short ones of each of ten | pgxpool | pgxfair |")
	fmt.Println("|---|---:|---:|")
	for _, line := range []struct {
		name string
		q    float64
	}{{"short queries, median", 0.5}, {"short queries, p99", 0.99}, {"short queries, longest", 1}} {
		fmt.Printf("| %s | %s | %s |\n", line.name, show(quantile(all[0].short, line.q)), show(quantile(all[1].short, line.q)))
	}
	fmt.Printf("| slow queries, all done after | %s | %s |\n", show(median(all[0].slow)), show(median(all[1].slow)))
	fmt.Printf("| everything done after | %s | %s |\n", show(median(all[0].everything)), show(median(all[1].everything)))
	fmt.Printf("| queries per second while the slow ones last, together | %.0f/s | %.0f/s |\n", median(all[0].rates), median(all[1].rates))
	fmt.Printf("| the same, ratio | | %s |\n\n", quartiles(ratios))
	return nil
}

func show(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }

// An outcome is what came of one or several runs.
type outcome struct {
	short      []time.Duration // each query
	slow       []time.Duration // each run
	everything []time.Duration
	rates      []float64
}

func (o *outcome) add(p outcome) {
	o.short = append(o.short, p.short...)
	o.slow = append(o.slow, p.slow...)
	o.everything = append(o.everything, p.everything...)
	o.rates = append(o.rates, p.rates...)
}

func crowd(ctx context.Context, c contender) (o outcome, err error) {
	var mu sync.Mutex
	var slow, short sync.WaitGroup
	var errs []error
	query := func(tenant, sql string) time.Duration {
		begin := time.Now()
		_, err := c.Exec(fairshare.WithTenant(ctx, tenant), sql)
		took := time.Since(begin)
		if err != nil {
			mu.Lock()
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
			mu.Unlock()
		}
		return took
	}
	start := time.Now()
	for range slowQueries {
		slow.Go(func() { query("batch", "select pg_sleep(0.02)") })
	}
	inTime := 0
	over := make(chan struct{})
	for i := range shortTenants {
		tenant := "web-" + strconv.Itoa(i)
		short.Go(func() {
			for range shortQueries {
				took := query(tenant, "select 1")
				mu.Lock()
				o.short = append(o.short, took)
				select {
				case <-over:
				default:
					inTime++
				}
				mu.Unlock()
				time.Sleep(pause)
			}
		})
	}
	slow.Wait()
	o.slow = []time.Duration{time.Since(start)}
	mu.Lock()
	close(over)
	o.rates = []float64{float64(slowQueries+inTime) / o.slow[0].Seconds()}
	mu.Unlock()
	short.Wait()
	o.everything = []time.Duration{time.Since(start)}
	return o, errors.Join(errs...)
}
