package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/priority"
	"github.com/fairpool/fairpool/adapters/adaptfair"
	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
)

const (
	places  = 8 // of the server
	tenantH = "X-Tenant"
	longest = 5 * time.Second // that a request may wait
)

// A limiter is put before a handler. limit tells the limit of the moment, 0 if there
// is none.
type limiter struct {
	name string
	wrap func(ctx context.Context, next http.Handler) (h http.Handler, limit func() int, err error)
}

var limiters = []limiter{
	{"nothing", func(_ context.Context, next http.Handler) (http.Handler, func() int, error) {
		return next, func() int { return 0 }, nil
	}},
	{"fairpool, fixed, right: 8", fixed(places)},
	{"fairpool, fixed, wrong: 100", fixed(100)},
	{"fairpool, adaptive from 1", adaptive(1)},
	{"fairpool, adaptive from 100", adaptive(100)},
	{"failsafe-go, fixed, right: 8", failsafe(places, places, places)},
	{"failsafe-go, fixed, wrong: 100", failsafe(100, 100, 100)},
	{"failsafe-go, adaptive from 20", failsafe(1, 200, 20)},
}

func newSemaphore(capacity int) (*fairshare.Semaphore, error) {
	return fairshare.NewSemaphore(fairshare.Config{
		Capacity: capacity, Default: fairshare.Share{MaxWaiting: 20}, AcquireTimeout: longest,
	})
}

func fixed(capacity int) func(context.Context, http.Handler) (http.Handler, func() int, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, func() int, error) {
		sem, err := newSemaphore(capacity)
		if err != nil {
			return nil, nil, err
		}
		fair, err := httpfair.Middleware(sem, httpfair.Header(tenantH), httpfair.Options{})
		if err != nil {
			return nil, nil, err
		}
		return fair(next), func() int { return capacity }, nil
	}
}

func adaptive(start int) func(context.Context, http.Handler) (http.Handler, func() int, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, func() int, error) {
		sem, err := newSemaphore(start)
		if err != nil {
			return nil, nil, err
		}
		gate, err := adaptfair.NewGate(sem, adaptfair.Config{Max: 200})
		if err != nil {
			return nil, nil, err
		}
		fair, err := httpfair.Middleware(gate, httpfair.Header(tenantH), httpfair.Options{})
		if err != nil {
			return nil, nil, err
		}
		return fair(next), func() int { return gate.Limiter().Stats().Limit }, nil
	}
}

// failsafe is the adaptive limiter of failsafe-go that prefers tenants who used
// little, with the values of its documentation but for a shorter longest window.
func failsafe(least, most, start uint) func(context.Context, http.Handler) (http.Handler, func() int, error) {
	return func(ctx context.Context, next http.Handler) (http.Handler, func() int, error) {
		tracker := priority.NewUsageTracker(10*time.Second, 100)
		prioritizer := adaptivelimiter.NewPrioritizerBuilder().WithUsageTracker(tracker).Build()
		prioritizer.ScheduleCalibrations(ctx, 250*time.Millisecond)
		l := adaptivelimiter.NewBuilder[any]().
			WithLimits(least, most, start).
			WithRecentWindow(time.Second, 5*time.Second, 50).
			WithMaxWaitTime(longest).
			BuildPrioritized(prioritizer)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := priority.ContextWithUser(priority.ContextWithPriority(r.Context(), priority.Medium), r.Header.Get(tenantH))
			permit, err := l.AcquirePermit(ctx)
			switch {
			case errors.Is(err, adaptivelimiter.ErrExceeded):
				http.Error(w, "exceeded", http.StatusTooManyRequests)
				return
			case err != nil:
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			defer permit.Record()
			next.ServeHTTP(w, r)
		}), l.Limit, nil
	}
}
