package promfair_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/fairpool/fairpool/adapters/promfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
)

// show prints the metrics whose names begin with one of the given ones.
func show(r *prometheus.Registry, names ...string) {
	families, err := r.Gather()
	if err != nil {
		panic(err)
	}
	for _, f := range families {
		for _, name := range names {
			for _, m := range f.Metric {
				if h := m.GetHistogram(); strings.HasPrefix(f.GetName(), name) && h != nil {
					fmt.Println(f.GetName()+labels(m), h.GetSampleCount())
				} else if strings.HasPrefix(f.GetName(), name) {
					fmt.Println(f.GetName()+labels(m), m.GetGauge().GetValue()+m.GetCounter().GetValue())
				}
			}
		}
	}
}

// The figures of a pool, and of the two tenants that use it most.
func ExampleNewCollector() {
	p, _ := pool.New(pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "a connection", nil },
		MaxSize:     8,
	})
	defer p.Close()
	c, err := promfair.NewCollector(p, promfair.Options{Pool: "db", TopTenants: 2})
	if err != nil {
		panic(err)
	}
	r := prometheus.NewRegistry()
	r.MustRegister(c)

	for tenant, n := range map[string]int{"acme": 3, "globex": 2, "initech": 1} {
		for range n {
			l, _ := p.Acquire(context.Background(), tenant)
			defer l.Release()
		}
	}
	show(r, "fairpool_in_use", "fairpool_tenant_held")
	// Output:
	// fairpool_in_use 6
	// fairpool_tenant_held{tenant=acme} 3
	// fairpool_tenant_held{tenant=globex} 2
	// fairpool_tenant_held{tenant=other} 1
}

// A semaphore is shown as far as it goes: it has no resources.
func ExampleNewCollector_semaphore() {
	s, _ := fairshare.NewSemaphore(fairshare.Config{Capacity: 4})
	defer s.Close()
	c, err := promfair.NewCollector(s, promfair.Options{Pool: "api"})
	if err != nil {
		panic(err)
	}
	r := prometheus.NewRegistry()
	r.MustRegister(c)

	permit, _ := s.Acquire(context.Background(), "acme")
	defer permit.Release()
	show(r, "fairpool_in_use", "fairpool_capacity", "fairpool_resources")
	// Output:
	// fairpool_capacity 4
	// fairpool_in_use 1
}

// Histograms are told by the trace of the pool.
func ExampleNewTimes() {
	times, err := promfair.NewTimes(promfair.TimesOptions{Pool: "db"})
	if err != nil {
		panic(err)
	}
	r := prometheus.NewRegistry()
	r.MustRegister(times)
	p, _ := pool.New(pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "a connection", nil },
		MaxSize:     8,
		Trace:       times.Trace(),
	})
	defer p.Close()

	l, _ := p.Acquire(context.Background(), "acme")
	l.Release()
	show(r, "fairpool_wait", "fairpool_build_duration_seconds")
	// Output:
	// fairpool_build_duration_seconds{result=failed} 0
	// fairpool_build_duration_seconds{result=ok} 1
	// fairpool_wait_duration_seconds{result=ok} 1
}
