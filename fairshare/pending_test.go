package fairshare_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

var background = context.Background()

// newSemaphore returns a semaphore to which, when the test ends, everything has
// to have come back (invariant 3).
func newSemaphore(t *testing.T, cfg fairshare.Config) *fairshare.Semaphore {
	t.Helper()
	s, err := fairshare.NewSemaphore(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		stats := s.Stats()
		require.Zero(t, stats.InUse, "slots that never came back")
		require.Zero(t, stats.Waiting)
		require.Zero(t, stats.ActiveTenants, "tenants that never left")
	})
	return s
}

// slots is the configuration of a semaphore of n slots and nothing else.
func slots(n int) fairshare.Config { return fairshare.Config{Capacity: n} }

// acquire takes a slot, which has to succeed.
func acquire(t *testing.T, s *fairshare.Semaphore, tenant string) fairshare.Permit {
	t.Helper()
	p, err := s.Acquire(background, tenant)
	require.NoError(t, err)
	return p
}

// takeAll takes as many slots for the tenant as it may have now.
func takeAll(s *fairshare.Semaphore, tenant string) (permits []fairshare.Permit) {
	for {
		p, ok := s.TryAcquire(tenant)
		if !ok {
			return permits
		}
		permits = append(permits, p)
	}
}

func releaseAll(permits []fairshare.Permit) {
	for _, p := range permits {
		p.Release()
	}
}

// tenant returns the figures of one tenant.
func tenant(s *fairshare.Semaphore, name string) fairshare.TenantStats {
	for known, stats := range s.Tenants() {
		if known == name {
			return stats
		}
	}
	return fairshare.TenantStats{}
}

// A pending is an Acquire under way in a goroutine of its own.
type pending struct {
	done   chan struct{}
	permit fairshare.Permit
	err    error
	waited time.Duration
}

// begin starts an Acquire, and returns when it blocks or is over. It needs a
// bubble.
func begin(ctx context.Context, s *fairshare.Semaphore, tenant string) *pending {
	w := &pending{done: make(chan struct{})}
	start := time.Now()
	go func() {
		defer close(w.done)
		w.permit, w.err = s.Acquire(ctx, tenant)
		w.waited = time.Since(start)
	}()
	synctest.Wait()
	return w
}

// over reports whether the Acquire has returned.
func (w *pending) over() bool {
	synctest.Wait()
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// granted waits for the Acquire, which has to succeed.
func (w *pending) granted(t *testing.T) fairshare.Permit {
	t.Helper()
	<-w.done
	require.NoError(t, w.err)
	return w.permit
}

// failed waits for the Acquire, which has to fail.
func (w *pending) failed(t *testing.T) *fairshare.AcquireError {
	t.Helper()
	<-w.done
	var e *fairshare.AcquireError
	require.ErrorAs(t, w.err, &e)
	return e
}

// releaseInTurn waits until each is granted a slot, whatever the order, and
// releases it.
func releaseInTurn(t *testing.T, all []*pending) {
	t.Helper()
	all = slices.Clone(all)
	for range len(all) {
		all = slices.DeleteFunc(all, func(w *pending) bool {
			if w.over() {
				w.granted(t).Release()
				return true
			}
			return false
		})
	}
	require.Empty(t, all, "never granted")
}
