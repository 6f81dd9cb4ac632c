package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// An api allows so many requests a second, of whomever, and refuses the others
// for a second, as APIs do that are paid by the call.
type api struct {
	limit   *rate.Limiter
	latency time.Duration
	refused atomic.Int64
	served  atomic.Int64
}

func newAPI(cfg config) *api {
	return &api{limit: rate.NewLimiter(rate.Limit(cfg.rate), cfg.rate/10), latency: cfg.latency}
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !a.limit.Allow() {
		a.refused.Add(1)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "rate limit exceeded", http.StatusTooManyRequests)
		return
	}
	select {
	case <-time.After(a.latency):
	case <-r.Context().Done():
	}
	a.served.Add(1)
	io.WriteString(w, "42\n")
}

// A server is one on the loopback.
type server struct {
	url   string
	close func()
}

func serve(h http.Handler) (server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return server{}, err
	}
	s := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // the listener is ours alone
		}
	}()
	return server{"http://" + listener.Addr().String(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
		<-done
	}}, nil
}
