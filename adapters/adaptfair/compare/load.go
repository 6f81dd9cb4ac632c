package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	work     = 20 * time.Millisecond // on a request, at first
	flooders = 80
	small    = 9
	pause    = 100 * time.Millisecond // between two requests of a small tenant, on average
)

// A server works on so many requests at once, first come, first served.
type server struct {
	places chan struct{}
	work   atomic.Int64
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.places <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	defer func() { <-s.places }()
	time.Sleep(time.Duration(s.work.Load()))
	io.WriteString(w, "ok\n")
}

// measure has all tenants send requests to a server behind the limiter for three
// phases.
func measure(parent context.Context, l limiter, phase time.Duration) (*tally, error) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	backend := &server{places: make(chan struct{}, places)}
	backend.work.Store(int64(work))
	handler, limit, err := l.wrap(ctx, backend)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	httpServer := &http.Server{Handler: handler}
	var all sync.WaitGroup
	all.Go(func() { httpServer.Serve(listener) })
	defer all.Wait()
	defer httpServer.Close()

	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 8 * time.Second}
	t := newTally(l.name, int(3*phase/time.Second))
	url := "http://" + listener.Addr().String()
	send := func(tenant string) bool {
		begun := time.Now()
		ok := get(ctx, client, url, tenant)
		if ctx.Err() == nil {
			t.note(tenant, ok, begun)
		}
		return ok
	}
	var clients sync.WaitGroup
	for range flooders {
		clients.Go(func() {
			for ctx.Err() == nil {
				if !send("flood") {
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	for i := range small {
		rng := rand.New(rand.NewPCG(uint64(i), 0)) // the same load for each limiter
		clients.Go(func() {
			for ctx.Err() == nil {
				time.Sleep(time.Duration(rng.ExpFloat64() * float64(pause)))
				clients.Go(func() { send(fmt.Sprint("small-", i)) })
			}
		})
	}
	for second := range t.seconds {
		switch time.Duration(second) * time.Second {
		case phase:
			backend.work.Store(int64(2 * work))
		case 2 * phase:
			backend.work.Store(int64(work))
		}
		select {
		case <-time.After(time.Until(t.begun.Add(time.Duration(second+1) * time.Second))):
		case <-ctx.Done():
		}
		t.seconds[second].limit = limit()
	}
	cancel()
	clients.Wait()
	return t, parent.Err()
}

func get(ctx context.Context, client *http.Client, url, tenant string) (ok bool) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err) // the URL is ours
	}
	r.Header.Set(tenantH, tenant)
	resp, err := client.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}
