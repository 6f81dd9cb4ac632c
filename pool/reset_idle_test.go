package pool_test

import (
	"context"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A laundry knows whose traces are on which thing.
type laundry struct {
	prepare, reset time.Duration // how long each takes

	mu     sync.Mutex
	resets int
	traces map[int]string
}

// idleCleaned is the configuration of a pool whose things are reset when they
// become idle.
func (y *laundry) idleCleaned(maxSize int) pool.Config[*thing] {
	y.traces = make(map[int]string)
	cfg := cleaned(maxSize, func(_ context.Context, th *thing) error {
		time.Sleep(y.reset)
		y.mu.Lock()
		defer y.mu.Unlock()
		y.resets++
		y.traces[th.id] = ""
		return nil
	})
	cfg.Tenancy.Prepare = func(_ context.Context, th *thing, h pool.Handover) error {
		time.Sleep(y.prepare)
		y.mu.Lock()
		defer y.mu.Unlock()
		y.traces[th.id] = h.Tenant
		return nil
	}
	cfg.Tenancy.ResetIdle = true
	return cfg
}

// shows checks how many resets there were, and whose traces there are.
func (y *laundry) shows(t *testing.T, resets int, traces map[int]string) {
	t.Helper()
	synctest.Wait()
	y.mu.Lock()
	defer y.mu.Unlock()
	require.Equal(t, resets, y.resets)
	require.Equal(t, traces, maps.Clone(y.traces))
}

func TestAResourceThatSomebodyWaitsForIsOnlyPreparedIfThatWillDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var y laundry
		p := newPool(t, &factory{}, y.idleCleaned(1))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		l.Release()
		l = waiting.granted(t)
		y.shows(t, 0, map[int]string{1: "b"})
		l.Release()
		y.shows(t, 1, map[int]string{1: ""})
	})
}

// A tenant at its cap waits for nothing but its own.
func TestAResourceThatItsOwnTenantWaitsForIsOnlyPreparedIfThatWillDo(t *testing.T) {
	for name, shares := range map[string]fairshare.Config{
		"Max":       {Default: fairshare.Share{Max: 1}},
		"ShareFunc": {ShareFunc: func(int, int) int { return 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := laundry{reset: time.Second}
				cfg := y.idleCleaned(2)
				cfg.Sharing = shares
				p := newPool(t, &factory{}, cfg)
				l := acquire(t, p, "a")
				waiting := begin(background, p, "a")
				l.Release()
				l = waiting.granted(t)
				require.Zero(t, waiting.waited)
				p.Suspend()
				waiting = begin(background, p, "a")
				l.Release()
				y.shows(t, 0, map[int]string{1: "a"})
				time.Sleep(time.Second)
				y.shows(t, 1, map[int]string{1: ""})
				p.Resume()
				waiting.granted(t).Release()
				require.EqualValues(t, 3, p.Stats().Acquired)
				time.Sleep(time.Second)
			})
		})
	}
}

// With headroom the last place is for those who hold nothing: there are waiters,
// but none for what comes back.
func TestAResourceThatNoneOfTheWaitersMayHaveIsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := laundry{reset: time.Second}
		cfg := y.idleCleaned(3)
		cfg.Sharing.Headroom = 1
		p := newPool(t, &factory{}, cfg)
		first, second, other := acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "b")
		waiting := begin(background, p, "b")
		first.Release()
		y.shows(t, 0, map[int]string{1: "a", 2: "a", 3: "b"})
		s := p.Stats()
		require.Equal(t, 1, s.Resetting)
		require.Equal(t, 3, s.InUse, "its tenant is charged")
		require.Zero(t, s.Warm)
		time.Sleep(time.Second)
		y.shows(t, 1, map[int]string{1: "", 2: "a", 3: "b"})
		require.Equal(t, 1, p.Stats().Warm)
		other.Release()
		waiting.granted(t).Release()
		second.Release()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, 3, p.Stats().Warm)
	})
}

func TestAResourceWhoseCallerGaveUpWhileItWasPreparedIsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := laundry{prepare: time.Second}
		p := newPool(t, &factory{}, y.idleCleaned(1))
		l := acquire(t, p, "a")
		ctx, cancel := context.WithCancel(background)
		waiting := begin(ctx, p, "b")
		l.Release()
		synctest.Wait()
		cancel()
		<-waiting.done
		require.ErrorIs(t, waiting.err, context.Canceled)
		y.shows(t, 0, map[int]string{1: "a"})
		time.Sleep(time.Second)
		y.shows(t, 1, map[int]string{1: ""})
	})
}

func TestAResourceThatComesTooLateForItsWaiterIsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var y laundry
		cfg := y.idleCleaned(1)
		cfg.Sharing = fairshare.Config{AcquireTimeout: time.Second}
		p := newPool(t, &factory{}, cfg)
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		<-waiting.done
		require.ErrorIs(t, waiting.err, pool.ErrAcquireTimeout)
		l.Release()
		y.shows(t, 1, map[int]string{1: ""})
	})
}
