package promfair_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/promfair"
	"github.com/fairpool/fairpool/pool"
)

// BenchmarkCycle is an Acquire and Release with nobody else about, beside what
// watches it.
func BenchmarkCycle(b *testing.B) {
	for _, w := range []struct {
		name    string
		times   *promfair.TimesOptions
		scraped bool
	}{
		{"unwatched", nil, false},
		{"scraped each second", nil, true},
		{"builds and waits", &promfair.TimesOptions{}, true},
		{"each Acquire", &promfair.TimesOptions{EachAcquire: true}, true},
		{"each Acquire and Release", &promfair.TimesOptions{EachAcquire: true, Holds: true}, true},
	} {
		b.Run(w.name, func(b *testing.B) {
			var trace pool.Trace
			if w.times != nil {
				w.times.Pool = "p"
				trace = newTimes(b, *w.times).Trace()
			}
			p := newPool(b, 8, func(c *pool.Config[*thing]) { c.Trace = trace })
			for i := range 100 {
				acquire(b, p, fmt.Sprint("tenant-", i)).Release()
			}
			if w.scraped {
				r := registry(b, collector(b, p, promfair.Options{Pool: "p", TopTenants: 20}))
				ticker := time.NewTicker(time.Second)
				defer ticker.Stop()
				ctx, stop := context.WithCancel(background)
				defer stop()
				go func() {
					for {
						select {
						case <-ticker.C:
							_, _ = r.Gather()
						case <-ctx.Done():
							return
						}
					}
				}()
			}
			ctx, cancel := context.WithCancel(background)
			defer cancel()
			b.ReportAllocs()
			for b.Loop() {
				l, err := p.Acquire(ctx, "tenant-1")
				if err != nil {
					b.Fatal(err)
				}
				l.Release()
			}
		})
	}
}

// BenchmarkScrape is one scrape of a pool that knows many tenants.
func BenchmarkScrape(b *testing.B) {
	for _, tenants := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(tenants), func(b *testing.B) {
			p := newPool(b, 8, nil)
			for i := range tenants {
				acquire(b, p, fmt.Sprint("tenant-", i)).Release()
			}
			r := registry(b, collector(b, p, promfair.Options{Pool: "p", TopTenants: 20}))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Gather(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
