package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// The first of the tenants floods; each of the others sends a request now and
// then, whether or not earlier ones were answered.
const flood = 0

var tenants = []string{
	"flood", "tenant-1", "tenant-2", "tenant-3", "tenant-4", "tenant-5", "tenant-6", "tenant-7", "tenant-8", "tenant-9",
}

// thinking is for how long a flooding client hesitates after an answer.
const thinking = 20 * time.Millisecond

// sendLoad has all tenants send requests for the duration of a run, and returns
// when all have been answered or given up.
func sendLoad(parent context.Context, cfg config, url string, t *tally) error {
	sending, cancel := context.WithTimeout(parent, cfg.duration)
	defer cancel()
	// Those under way when the run is over have a moment to end.
	waiting, giveUp := context.WithTimeout(parent, cfg.duration+time.Second)
	defer giveUp()
	transport := newTransport()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	var all sync.WaitGroup
	for range cfg.flooders {
		all.Go(func() {
			for pause(sending, thinking) {
				t.send(waiting, client, url, flood)
			}
		})
	}
	for tenant := flood + 1; tenant < len(tenants); tenant++ {
		rng := rand.New(rand.NewPCG(uint64(tenant), 0)) // the same load in both runs
		all.Go(func() {
			for pause(sending, time.Duration(100+rng.IntN(200))*time.Millisecond) {
				all.Go(func() { t.send(waiting, client, url, tenant) })
			}
		})
	}
	all.Wait()
	return parent.Err()
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// send makes one request and notes what became of it.
func (t *tally) send(ctx context.Context, client *http.Client, url string, tenant int) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err) // the URL is that of a server of ours
	}
	r.Header.Set("X-Tenant", tenants[tenant])
	begun := time.Now()
	status, err := answer(client, r)
	t.note(tenant, status == http.StatusOK && err == nil, time.Since(begun))
}

// answer returns the status of a response whose body has been read.
func answer(client *http.Client, r *http.Request) (status int, err error) {
	resp, err := client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}
