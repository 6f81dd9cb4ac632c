package httpfair_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
)

// A discarding ResponseWriter costs nothing.
type discarding struct{ header http.Header }

func (d discarding) Header() http.Header         { return d.header }
func (d discarding) Write(p []byte) (int, error) { return len(p), nil }
func (d discarding) WriteHeader(int)             {}

// What the middleware adds to a request, nobody else being there.
func BenchmarkMiddleware(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 8})
	if err != nil {
		b.Fatal(err)
	}
	middleware, err := httpfair.Middleware(sem, httpfair.Header("X-Tenant"), httpfair.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for name, h := range map[string]http.Handler{
		"without":  handler,
		"identify": httpfair.Identify(httpfair.Header("X-Tenant"))(handler),
		"with":     middleware(handler),
	} {
		b.Run(name, func(b *testing.B) {
			r := ask("GET", "/", "a", nil)
			w := discarding{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}

// What it costs to refuse a request whose tenant's queue is full.
func BenchmarkRefusal(b *testing.B) {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 8, Default: fairshare.Share{MaxWaiting: 20}})
	if err != nil {
		b.Fatal(err)
	}
	middleware, err := httpfair.Middleware(sem, httpfair.Header("X-Tenant"), httpfair.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	for range 8 + 20 {
		go func() {
			if p, err := sem.Acquire(ctx, "a"); err == nil {
				<-ctx.Done()
				p.Release()
			}
		}()
	}
	for sem.Stats().Waiting < 20 {
		runtime.Gosched()
	}
	h := middleware(http.NotFoundHandler())
	r := ask("GET", "/", "a", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(discarding{http.Header{}}, r)
	}
}

// A round trip on the loopback, by itself and with a slot.
func BenchmarkTransport(b *testing.B) {
	server := httptest.NewServer(text("hello"))
	defer server.Close()
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 8})
	if err != nil {
		b.Fatal(err)
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	defer base.CloseIdleConnections()
	fairly, err := httpfair.NewTransport(sem, base, httpfair.TransportOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for name, transport := range map[string]http.RoundTripper{"without": base, "with": fairly} {
		b.Run(name, func(b *testing.B) {
			client := &http.Client{Transport: transport}
			b.ReportAllocs()
			for b.Loop() {
				resp, err := client.Get(server.URL)
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
}
