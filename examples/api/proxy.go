package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
)

// A proxy passes requests on to the API.
type proxy struct {
	handler http.Handler
	state   func() string // for the line of a second
	slots   func() slots
	close   func()
}

// slots are how many requests to the API there may be at once.
type slots struct{ inUse, capacity, most int }

// newFairProxy is fairpool at work: a Transport for which each request to the API
// takes one of the slots. How many the API bears the Transport learns from its
// answers. Which tenant a request is for, the handler tells; here it trusts a
// header.
func newFairProxy(cfg config, api string) (proxy, error) {
	sem, err := fairshare.NewSemaphore(fairshare.Config{
		Capacity: cfg.slots,
		Default:  fairshare.Share{MaxWaiting: cfg.slots}, // a tenant's requests beyond that are refused at once
	})
	if err != nil {
		return proxy{}, err
	}
	base := newTransport()
	transport, err := httpfair.NewTransport(sem, base, httpfair.TransportOptions{})
	if err != nil {
		return proxy{}, err
	}
	passOn, err := newReverseProxy(api, transport)
	if err != nil {
		return proxy{}, err
	}
	return proxy{
		handler: httpfair.Identify(httpfair.Header("X-Tenant"))(passOn),
		state: func() string {
			s := transport.Stats()
			text := fmt.Sprintf("%d of %d slots in use, %d wait", s.InFlight, s.Capacity, sem.Stats().Waiting)
			if s.PausedFor > 0 {
				text += ", paused as the API asks"
			}
			return text
		},
		slots: func() slots {
			s := transport.Stats()
			return slots{s.InFlight, s.Capacity, s.Max}
		},
		close: base.CloseIdleConnections,
	}, nil
}

// newPlainProxy is the same with a transport that knows no tenants and no bounds.
func newPlainProxy(_ config, api string) (proxy, error) {
	base := newTransport()
	passOn, err := newReverseProxy(api, base)
	return proxy{passOn, func() string { return "" }, func() slots { return slots{} }, base.CloseIdleConnections}, err
}

func newReverseProxy(api string, transport http.RoundTripper) (http.Handler, error) {
	target, err := url.Parse(api)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: transport,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			var rejection *httpfair.Rejection
			if errors.As(err, &rejection) {
				rejection.ServeHTTP(w, r) // 429 or 503, and Retry-After
				return
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}, nil
}

// newTransport keeps a connection for each request of the load.
func newTransport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 100}
}
