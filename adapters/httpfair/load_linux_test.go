package httpfair_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

var loadTime = flag.Duration("load", time.Second, "how long each run of the load tests lasts, in whole seconds")

const (
	places    = 8 // requests that are handled at once
	workTime  = 10 * time.Millisecond
	crowd     = 32 // requests that may wait, where that is bounded
	flooding  = 55 // connections of one tenant
	others    = 9  // tenants with one connection each: 64 clients
	unbounded = 1 << 20
)

func work(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(workTime)
	io.WriteString(w, "done\n")
}

// firstComeFirstServed is what one does without fairpool: a number of places, a
// bounded queue before them, and no tenants.
func firstComeFirstServed(most int) http.Handler {
	free := make(chan struct{}, places)
	var waiting atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case free <- struct{}{}:
		default:
			if waiting.Add(1) > int64(most) {
				waiting.Add(-1)
				w.Header().Set("Retry-After", "1")
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			}
			free <- struct{}{}
			waiting.Add(-1)
		}
		defer func() { <-free }()
		work(w, r)
	})
}

// An outcome is what a flood and nine others got.
type outcome struct {
	flood  measured
	others []measured
}

// worst is the lowest success rate of the others, and the highest of their
// medians and 99th percentiles in ms.
func (o outcome) worst() (success, p50, p99 float64) {
	success = 1
	for _, m := range o.others {
		success, p50, p99 = min(success, m.success()), max(p50, m.P50), max(p99, m.P99)
	}
	return success, p50, p99
}

func (o outcome) served() (n float64) {
	n = float64(o.flood.Requests) * o.flood.success()
	for _, m := range o.others {
		n += float64(m.Requests) * m.success()
	}
	return n
}

func (o outcome) String() string {
	success, p50, p99 := o.worst()
	return fmt.Sprintf("others: success %5.1f%%, p50 %6.1f ms, p99 %6.1f ms; flood: success %5.1f%%, p50 %6.1f ms, p99 %6.1f ms; %5.0f served",
		100*success, p50, p99, 100*o.flood.success(), o.flood.P50, o.flood.P99, o.served())
}

// flood has 64 clients call a server at once, 55 of one tenant and one of each
// of nine others.
func flood(t *testing.T, h http.Handler) (o outcome) {
	t.Helper()
	run := wrk(t)
	server := newServer(t, h)
	var all sync.WaitGroup
	o.others = make([]measured, others)
	errs := make([]error, others+1)
	all.Go(func() { o.flood, errs[others] = run(server.URL, "flood", flooding, *loadTime) })
	for i := range others {
		all.Go(func() { o.others[i], errs[i] = run(server.URL, fmt.Sprint("tenant-", i), 1, *loadTime) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return o
}

// attempts is how often a comparison may be made until it shows what it should:
// whatever else the machine has to do disturbs either side.
const attempts = 3

func TestNineTenantsAreServedInTimeBesideAFlood(t *testing.T) {
	for range attempts {
		without := flood(t, firstComeFirstServed(unbounded))
		sem := newSemaphore(t, fairshare.Config{Capacity: places})
		with := flood(t, fair(t, sem, httpfair.Options{}, work))
		t.Logf("without: %v", without)
		t.Logf("with:    %v", with)
		success, p50, p99 := with.worst()
		_, medianBefore, before := without.worst()
		require.Equal(t, 1.0, success)
		// On a loaded machine a 99th percentile is mostly that of the machine.
		if p50 < medianBefore/2 && p99 < before && with.served() > without.served()*0.9 {
			return
		}
	}
	t.Errorf("the others never waited half as long at the same throughput, in %d attempts", attempts)
}

func TestNineTenantsAreServedAtAllBesideAFlood(t *testing.T) {
	for range attempts {
		without := flood(t, firstComeFirstServed(crowd))
		sem := newSemaphore(t, fairshare.Config{Capacity: places, MaxWaiting: crowd})
		with := flood(t, fair(t, sem, httpfair.Options{}, work))
		t.Logf("without: %v", without)
		t.Logf("with:    %v", with)
		success, _, _ := with.worst()
		before, _, _ := without.worst()
		require.Less(t, with.flood.success(), success)
		if success > 0.99 && before < success-0.1 {
			return
		}
	}
	t.Errorf("the others were never all served, and fewer of them without, in %d attempts", attempts)
}

// A tenant at its cap is refused, the others are not, whatever it does.
func TestATenantAtItsBoundsIsRefusedAndOnlyThat(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{
		Capacity: places,
		Tenants:  map[string]fairshare.Share{"flood": {Max: 2, MaxWaiting: 4}},
	})
	var own, other atomic.Int64
	o := flood(t, fair(t, sem, httpfair.Options{Reject: func(w http.ResponseWriter, r *http.Request, rejection *httpfair.Rejection) {
		switch {
		case rejection.Tenant == "flood" && rejection.Status == http.StatusTooManyRequests:
			own.Add(1)
		case !errors.Is(rejection, context.Canceled): // which is wrk at its end
			other.Add(1)
		}
		rejection.ServeHTTP(w, r)
	}}, work))
	t.Log(o)
	success, _, _ := o.worst()
	require.Equal(t, 1.0, success)
	require.Positive(t, own.Load())
	require.Zero(t, other.Load())
}
