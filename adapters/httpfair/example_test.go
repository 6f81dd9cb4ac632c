package httpfair_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

func ExampleMiddleware() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{
		Capacity:       64, // requests handled at once
		MaxWaiting:     1000,
		AcquireTimeout: 5 * time.Second,
		Default:        fairshare.Share{MaxWaiting: 100}, // of one tenant
	})
	if err != nil {
		panic(err)
	}
	fair, err := httpfair.Middleware(sem, httpfair.RemotePrefix(32, 64), httpfair.Options{})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(fair(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello", fairshare.TenantFrom(r.Context()))
	})))
	defer server.Close()

	resp, err := server.Client().Get(server.URL)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Print(string(text))
	// Output:
	// hello 127.0.0.1/32
}

// With a pool each request has a resource, here a browser tab, for as long as it
// is handled.
func ExampleGranted() {
	tabs, err := pool.New(pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "a tab", nil },
		MaxSize:     4,
	})
	if err != nil {
		panic(err)
	}
	defer tabs.Close()
	fair, err := httpfair.Middleware(tabs, httpfair.Header("X-Tenant"), httpfair.Options{})
	if err != nil {
		panic(err)
	}
	handler := fair(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lease, _ := httpfair.Granted[pool.Lease[string]](r.Context())
		fmt.Println(lease.Value(), "for", lease.Tenant())
	}))

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Tenant", "acme")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// a tab for acme
}

func ExampleRejection() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 10}})
	if err != nil {
		panic(err)
	}
	fair, err := httpfair.Middleware(sem, nil, httpfair.Options{
		Reject: func(w http.ResponseWriter, r *http.Request, rejection *httpfair.Rejection) {
			fmt.Println(rejection.Status, rejection.Err)
			rejection.ServeHTTP(w, r)
		},
	})
	if err != nil {
		panic(err)
	}
	sem.Close()
	w := httptest.NewRecorder()
	fair(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Print(w.Body)
	// Output:
	// 503 fairshare: acquire for tenant "": closed
	// The server is shutting down.
}

func ExampleTransport() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer api.Close()

	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 10}) // requests in flight, at most
	if err != nil {
		panic(err)
	}
	transport, err := httpfair.NewTransport(sem, nil, httpfair.TransportOptions{})
	if err != nil {
		panic(err)
	}
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()

	ctx := fairshare.WithTenant(context.Background(), "acme")
	r, _ := http.NewRequestWithContext(ctx, "GET", api.URL, nil)
	resp, err := client.Do(r)
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	stats := transport.Stats()
	fmt.Println(resp.StatusCode, "so the capacity is", stats.Capacity, "of", stats.Max)
	fmt.Println("paused:", stats.PausedFor > 25*time.Second)
	// Output:
	// 429 so the capacity is 7 of 10
	// paused: true
}

func ExampleKeyTenant() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{
		Capacity: 10,
		Tenants:  map[string]fairshare.Share{httpfair.KeyTenant("Bearer s3cret"): {Weight: 4}},
	})
	if err != nil {
		panic(err)
	}
	tenant := httpfair.APIKey("Authorization")
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer s3cret")
	permit, _ := sem.TryAcquire(tenant(r))
	defer permit.Release()
	for name, stats := range sem.Tenants() {
		fmt.Println(name, stats.Share.Weight)
	}
	// Output:
	// key-0c9ae6066b41d3711dea4667cfcc513f 4
}
