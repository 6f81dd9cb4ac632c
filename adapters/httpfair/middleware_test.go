package httpfair_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// busy is a handler that works for as long as it is told.
func busy(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil {
		panic(err)
	}
	time.Sleep(d)
}

func TestARequestHoldsASlotUntilItsHandlerReturns(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 2})
	h := fair(t, sem, httpfair.Options{}, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, 1, sem.Stats().InUse)
		require.Equal(t, "a", fairshare.TenantFrom(r.Context()))
	})
	require.Equal(t, http.StatusOK, do(h, ask("GET", "/", "a", nil)).Code)
	require.Zero(t, sem.Stats().InUse)
}

func TestAFullQueueOfItsOwnIs429WhileOthersAreServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sem := newSemaphore(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 10}})
		h := fair(t, sem, httpfair.Options{}, busy)
		for range 11 + 20 { // the first 20 drain at a pace of 2 s each
			go func() { do(h, ask("GET", "/?for=2s", "flood", nil)) }()
			synctest.Wait()
			if sem.Stats().Waiting == 10 {
				time.Sleep(2 * time.Second)
				synctest.Wait()
			}
		}
		for sem.Stats().Waiting < 10 {
			go func() { do(h, ask("GET", "/?for=2s", "flood", nil)) }()
			synctest.Wait()
		}
		refused := do(h, ask("GET", "/?for=2s", "flood", nil))
		require.Equal(t, http.StatusTooManyRequests, refused.Code)
		seconds, err := strconv.Atoi(refused.Header().Get("Retry-After"))
		require.NoError(t, err)
		require.GreaterOrEqual(t, seconds, 20, "eleven at two seconds, but for what the average remembers")
		require.LessOrEqual(t, seconds, 34)
		require.NotContains(t, refused.Body.String(), "flood")

		begun := time.Now()
		require.Equal(t, http.StatusOK, do(h, ask("GET", "/?for=1ms", "other", nil)).Code)
		require.Less(t, time.Since(begun), 3*time.Second, "the next slot that came free")
		time.Sleep(time.Minute)
	})
}

func TestWhatGetsNoSlotIsAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		cfg    fairshare.Config
		limit  time.Duration // of the context of the request
		close  bool
		status int
		retry  bool
	}{
		"at its cap for too long":     {cfg: fairshare.Config{Capacity: 9, Default: fairshare.Share{Max: 1}, AcquireTimeout: time.Second}, status: 429, retry: true},
		"the queue of all is full":    {cfg: fairshare.Config{Capacity: 1, MaxWaiting: 1}, status: 503, retry: true},
		"waited for too long":         {cfg: fairshare.Config{Capacity: 1, AcquireTimeout: time.Second}, status: 503, retry: true},
		"the deadline of the request": {cfg: fairshare.Config{Capacity: 1}, limit: time.Second, status: 503, retry: true},
		"closed":                      {cfg: fairshare.Config{Capacity: 1}, close: true, status: 503, retry: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sem := newSemaphore(t, c.cfg)
				h := fair(t, sem, httpfair.Options{}, busy)
				go func() { do(h, ask("GET", "/?for=1m", "a", nil)) }()
				synctest.Wait()
				go func() { do(h, ask("GET", "/?for=1m", "a", nil)) }()
				synctest.Wait()
				if c.close {
					sem.Close()
				}
				r := ask("GET", "/?for=1m", "a", nil)
				if c.limit > 0 {
					ctx, cancel := context.WithTimeout(r.Context(), c.limit)
					defer cancel()
					r = r.WithContext(ctx)
				}
				refused := do(h, r)
				require.Equal(t, c.status, refused.Code)
				require.Equal(t, c.retry, refused.Header().Get("Retry-After") != "")
				time.Sleep(5 * time.Minute)
			})
		})
	}
}

func TestRejectMayAnswerInItsOwnWay(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	sem.Close()
	h := fair(t, sem, httpfair.Options{Reject: func(w http.ResponseWriter, r *http.Request, rejection *httpfair.Rejection) {
		require.Equal(t, "a", rejection.Tenant)
		require.Equal(t, http.StatusServiceUnavailable, rejection.Status)
		require.ErrorIs(t, rejection, fairshare.ErrClosed)
		var e *fairshare.AcquireError
		require.ErrorAs(t, rejection, &e)
		w.WriteHeader(http.StatusTeapot)
	}}, busy)
	require.Equal(t, http.StatusTeapot, do(h, ask("GET", "/", "a", nil)).Code)
}

func TestAPanicGivesTheSlotBackAndGoesOn(t *testing.T) {
	for _, value := range []any{"oh no", http.ErrAbortHandler} {
		sem := newSemaphore(t, fairshare.Config{Capacity: 1})
		h := fair(t, sem, httpfair.Options{}, func(http.ResponseWriter, *http.Request) { panic(value) })
		require.PanicsWithValue(t, value, func() { do(h, ask("GET", "/", "a", nil)) })
		require.Zero(t, sem.Stats().InUse)
	}
}

func newTabs(t *testing.T, cfg pool.Config[string]) *pool.Pool[string] {
	t.Helper()
	cfg.Constructor = func(context.Context) (string, error) { return "tab", nil }
	cfg.MaxSize = 1
	p, err := pool.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.Zero(t, p.Stats().Leased)
		p.Close()
	})
	return p
}

func TestTheHandlerHasTheLease(t *testing.T) {
	p := newTabs(t, pool.Config[string]{})
	h := fair(t, p, httpfair.Options{}, func(w http.ResponseWriter, r *http.Request) {
		lease, ok := httpfair.Granted[pool.Lease[string]](r.Context())
		require.True(t, ok)
		require.Equal(t, "tab", lease.Value())
		require.Equal(t, "a", lease.Tenant())
		lease.Release() // before the rest of the work, which needs no tab
		require.Zero(t, p.Stats().Leased)
	})
	do(h, ask("GET", "/", "a", nil))
	require.Zero(t, p.Stats().Destroyed)
}

func TestAPanicDestroysTheResource(t *testing.T) {
	p := newTabs(t, pool.Config[string]{})
	h := fair(t, p, httpfair.Options{}, func(http.ResponseWriter, *http.Request) { panic("oh no") })
	require.Panics(t, func() { do(h, ask("GET", "/", "a", nil)) })
	eventually(t, func() bool { return p.Stats().Destroyed == 1 })
}

func TestALeaseThatIsAskedBackEndsTheContextOfTheRequest(t *testing.T) {
	p := newTabs(t, pool.Config[string]{})
	h := fair(t, p, httpfair.Options{}, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, 1, p.Revoke(errors.New("wanted elsewhere"), func(pool.Holder) bool { return true }))
		<-r.Context().Done()
		require.ErrorIs(t, context.Cause(r.Context()), pool.ErrRevoked)
		w.WriteHeader(http.StatusConflict)
	})
	require.Equal(t, http.StatusConflict, do(h, ask("GET", "/", "a", nil)).Code)
}

func TestAResourceThatCannotBeBuiltIs503(t *testing.T) {
	p, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { return 0, errors.New("no such host") },
		MaxSize:     1,
	})
	require.NoError(t, err)
	defer p.Close()
	h := fair(t, p, httpfair.Options{}, func(http.ResponseWriter, *http.Request) { t.Error("handled") })
	refused := do(h, ask("GET", "/", "a", nil))
	require.Equal(t, http.StatusServiceUnavailable, refused.Code)
	require.Equal(t, "1", refused.Header().Get("Retry-After"))
	require.NotContains(t, refused.Body.String(), "no such host")
}

func TestWithoutATenantFuncTheContextTells(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	middleware, err := httpfair.Middleware(sem, nil, httpfair.Options{})
	require.NoError(t, err)
	seen := ""
	h := httpfair.Identify(httpfair.Header("X-Tenant"))(middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = fairshare.TenantFrom(r.Context())
		for name, s := range sem.Tenants() {
			require.Equal(t, name == seen, s.Held == 1, name)
		}
	})))
	do(h, ask("GET", "/", "a", nil))
	require.Equal(t, "a", seen)
	do(h, httptest.NewRequest("GET", "/", nil))
	require.Empty(t, seen)
}

func TestWhatIsSkippedTakesNoSlot(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	sem.Close()
	h := fair(t, sem, httpfair.Options{Skip: func(r *http.Request) bool { return r.URL.Path == "/healthz" }}, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "a", fairshare.TenantFrom(r.Context()))
		_, granted := httpfair.Granted[fairshare.Permit](r.Context())
		require.False(t, granted)
	})
	require.Equal(t, http.StatusOK, do(h, ask("GET", "/healthz", "a", nil)).Code)
	require.Equal(t, http.StatusServiceUnavailable, do(h, ask("GET", "/", "a", nil)).Code)
}

func TestWrongOptionsAreNamed(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	for want, opt := range map[string]httpfair.Options{
		"httpfair: Options.MaxRetryAfter is -1s, must be at least a second, or 0 for 1m0s":  {MaxRetryAfter: -time.Second},
		"httpfair: Options.MaxRetryAfter is 10ms, must be at least a second, or 0 for 1m0s": {MaxRetryAfter: 10 * time.Millisecond},
	} {
		_, err := httpfair.Middleware(sem, nil, opt)
		require.EqualError(t, err, want)
	}
}

func TestARequestWithoutATenantIs403WhereOneIsRequired(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1, RequireTenant: true})
	never := func(http.ResponseWriter, *http.Request) { t.Error("handled") }
	forgotten, err := httpfair.Middleware(sem, nil, httpfair.Options{})
	require.NoError(t, err)
	for name, h := range map[string]http.Handler{
		"the request names none":    fair(t, sem, httpfair.Options{}, never),
		"nobody looks for its name": forgotten(http.HandlerFunc(never)),
	} {
		refused := do(h, ask("GET", "/", "", nil))
		require.Equal(t, http.StatusForbidden, refused.Code, name)
		require.Empty(t, refused.Header().Get("Retry-After"), name)
	}
	served := fair(t, sem, httpfair.Options{}, func(http.ResponseWriter, *http.Request) {})
	require.Equal(t, http.StatusOK, do(served, ask("GET", "/", "a", nil)).Code)
}
