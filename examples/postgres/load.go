package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

// A result is what came of the load on one pool.
type result struct {
	pool string
	took time.Duration // all reports

	mu      sync.Mutex
	waits   map[string][]time.Duration // by tenant, of each request
	foreign int                        // rows that the tenant must not see
}

// measure puts the load on the API.
func measure(ctx context.Context, name string, handler http.Handler, cfg config) (*result, error) {
	server := httptest.NewServer(handler)
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: cfg.reports}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	r := &result{pool: name, waits: map[string][]time.Duration{}}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var batch, web sync.WaitGroup
	start := time.Now()
	for range cfg.reports {
		batch.Go(func() {
			if err := r.request(ctx, client, server.URL+"/report", "batch", nil); err != nil {
				cancel(err)
			}
		})
	}
	over := make(chan struct{})
	for _, tenant := range tenants[1:] {
		web.Go(func() {
			for {
				var orders []order
				if err := r.request(ctx, client, server.URL+"/orders", tenant, &orders); err != nil {
					cancel(err)
					return
				}
				r.inspect(tenant, orders)
				select {
				case <-over:
					return
				case <-time.After(cfg.pause):
				}
			}
		})
	}
	batch.Wait()
	r.took = time.Since(start)
	close(over)
	web.Wait()
	return r, context.Cause(ctx)
}

// request asks for something in the name of a tenant, and notes how long it took.
func (r *result) request(ctx context.Context, client *http.Client, url, tenant string, into any) error {
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer key-of-"+tenant)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	took := time.Since(start)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s: %s", url, resp.Status, body)
	case into != nil:
		err = json.Unmarshal(body, into)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits[tenant] = append(r.waits[tenant], took)
	return err
}

// inspect counts rows of somebody else.
func (r *result) inspect(tenant string, orders []order) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range orders {
		if o.Tenant != tenant {
			r.foreign++
		}
	}
	if len(orders) == 0 {
		r.foreign++ // its own are there
	}
}

// quantile returns the time that a part q of a tenant's requests were below.
func (r *result) quantile(tenant string, q float64) time.Duration {
	all := slices.Sorted(slices.Values(r.waits[tenant]))
	if len(all) == 0 {
		return 0
	}
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

// printResults prints the table.
func printResults(out io.Writer, results []*result) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\npool\ttenant\trequests\tp50\tp99\tworst\t")
	foreign := 0
	for _, r := range results {
		for _, tenant := range tenants {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t\n", r.pool, tenant, len(r.waits[tenant]),
				show(r.quantile(tenant, 0.5)), show(r.quantile(tenant, 0.99)), show(r.quantile(tenant, 1)))
		}
		fmt.Fprintln(w, "\t\t\t\t\t\t")
		foreign += r.foreign
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		fmt.Fprintf(out, "%s: all reports after %s\n", r.pool, show(r.took))
	}
	if foreign > 0 {
		return errors.New("tenants have seen rows of others")
	}
	fmt.Fprintln(out, "no tenant has seen a row of another")
	return nil
}

func show(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
