package httpfair_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestARequestTakesAsManySlotsAsItCosts(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 4})
	cost := func(r *http.Request) int {
		n, _ := strconv.Atoi(r.URL.Query().Get("cost"))
		return n
	}
	var inUse int
	h := fair(t, sem, httpfair.Options{Cost: cost}, func(w http.ResponseWriter, r *http.Request) {
		inUse = sem.Stats().InUse
		p, ok := httpfair.Granted[fairshare.Permit](r.Context())
		require.True(t, ok)
		require.Equal(t, inUse, p.Slots())
	})
	for url, want := range map[string]int{"/": 1, "/?cost=-3": 1, "/?cost=1": 1, "/?cost=3": 3, "/?cost=4": 4} {
		require.Equal(t, http.StatusOK, do(h, ask("GET", url, "a", nil)).Code)
		require.Equal(t, want, inUse, url)
		require.Zero(t, sem.Stats().InUse)
	}
	refused := do(h, ask("GET", "/?cost=5", "a", nil))
	require.Equal(t, http.StatusRequestEntityTooLarge, refused.Code)
	require.Empty(t, refused.Header().Get("Retry-After"), "time changes nothing")
}

func TestCostNeedsAGateThatGrantsSeveral(t *testing.T) {
	p, err := pool.New(pool.Config[int]{MaxSize: 1, Constructor: func(context.Context) (int, error) { return 1, nil }})
	require.NoError(t, err)
	defer p.Close()
	_, err = httpfair.Middleware(p, nil, httpfair.Options{Cost: func(*http.Request) int { return 1 }})
	require.ErrorContains(t, err, "httpfair: Options.Cost is set, but a *pool.Pool[int] grants one slot at a time")
}
