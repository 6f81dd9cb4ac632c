package gate_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/gate"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func newDoor(t *testing.T, cfg fairshare.Config) (*gate.Door[fairshare.Permit], *fairshare.Semaphore) {
	t.Helper()
	sem, err := fairshare.NewSemaphore(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.Zero(t, sem.Stats().InUse)
		require.Zero(t, sem.Stats().Waiting)
	})
	return gate.NewDoor(sem, gate.DefaultMaxRetryAfter), sem
}

func as(tenant string) context.Context {
	return fairshare.WithTenant(context.Background(), tenant)
}

// work has a call of the tenant hold a slot for so long.
func work(d *gate.Door[fairshare.Permit], tenant string, hold time.Duration) {
	go func() {
		if p, refusal := d.Enter(as(tenant)); refusal == nil {
			time.Sleep(hold)
			p.Release()
		}
	}()
}

// requireRetryAfter allows for the spread, of up to half as long again, and for
// what the moving average remembers from the start.
func requireRetryAfter(t *testing.T, want time.Duration, refusal *gate.Refusal) {
	t.Helper()
	require.NotNil(t, refusal)
	require.GreaterOrEqual(t, refusal.RetryAfter, want*9/10)
	require.LessOrEqual(t, refusal.RetryAfter, want*3/2)
}

func TestRetryAfterIsTheTimeInWhichTheQueueDrains(t *testing.T) {
	for _, slots := range []int{1, 4} {
		t.Run(fmt.Sprint(slots, " slots"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, sem := newDoor(t, fairshare.Config{Capacity: slots, Default: fairshare.Share{MaxWaiting: 8 * slots}})
				// Each holds its slot for 2 s, one after the other comes free.
				for i := range slots {
					work(d, "a", time.Duration(i+1)*2*time.Second/time.Duration(slots))
				}
				synctest.Wait()
				for range 30 * slots {
					for tenant(sem, "a").Waiting < 8*slots {
						work(d, "a", 2*time.Second)
						synctest.Wait()
					}
					time.Sleep(2 * time.Second / time.Duration(slots))
					synctest.Wait()
				}
				for tenant(sem, "a").Waiting < 8*slots {
					work(d, "a", 2*time.Second)
					synctest.Wait()
				}
				_, refusal := d.Enter(as("a"))
				requireRetryAfter(t, (8+1)*2*time.Second-2*time.Second*time.Duration(slots-1)/time.Duration(slots), refusal)
				require.True(t, refusal.Own)
				require.ErrorIs(t, refusal.Err, fairshare.ErrQueueFull)
				time.Sleep(time.Minute)
			})
		})
	}
}

func tenant(sem *fairshare.Semaphore, name string) fairshare.TenantStats {
	for n, s := range sem.Tenants() {
		if n == name {
			return s
		}
	}
	return fairshare.TenantStats{}
}

// A share of the slots is a slower pace.
func TestRetryAfterCountsWhatOthersTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, sem := newDoor(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 5}})
		for range 60 { // two tenants take turns, a second each
			for _, name := range []string{"a", "b"} {
				for tenant(sem, name).Waiting < 5 {
					work(d, name, time.Second)
					synctest.Wait()
				}
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		for tenant(sem, "a").Waiting < 5 {
			work(d, "a", time.Second)
			synctest.Wait()
		}
		_, refusal := d.Enter(as("a"))
		require.NotNil(t, refusal)
		require.GreaterOrEqual(t, refusal.RetryAfter, 10*time.Second)
		require.LessOrEqual(t, refusal.RetryAfter, 20*time.Second)
		time.Sleep(time.Minute)
	})
}

func TestWhenNothingWasServedForLongRetryAfterGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, sem := newDoor(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 8}})
		for range 9 {
			work(d, "a", time.Millisecond)
			synctest.Wait()
		}
		for sem.Stats().Acquired < 9 {
			time.Sleep(time.Millisecond)
			work(d, "a", 20*time.Second)
			synctest.Wait()
		}
		time.Sleep(10 * time.Millisecond)
		for tenant(sem, "a").Waiting < 8 {
			work(d, "a", 20*time.Second)
			synctest.Wait()
		}
		_, early := d.Enter(as("a"))
		time.Sleep(10 * time.Second)
		_, late := d.Enter(as("a"))
		require.Less(t, early.RetryAfter, 2*time.Second, "it went fast until now")
		require.Greater(t, late.RetryAfter, 10*time.Second)
		time.Sleep(time.Hour)
	})
}

func TestRetryAfterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := newDoor(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 1}})
		work(d, "a", time.Hour)
		synctest.Wait()
		for range 4 { // there is always one that waits
			work(d, "a", time.Hour)
			synctest.Wait()
			time.Sleep(time.Hour)
			synctest.Wait()
		}
		work(d, "a", time.Hour)
		synctest.Wait()
		_, refusal := d.Enter(as("a"))
		require.Equal(t, time.Minute, refusal.RetryAfter)
		time.Sleep(3 * time.Hour)
	})
}

func TestWhoseFaultARefusalIs(t *testing.T) {
	const short = 2 * time.Second
	for name, c := range map[string]struct {
		cfg fairshare.Config
		own bool
		err error
	}{
		"its own queue is full": {
			cfg: fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 1}},
			own: true, err: fairshare.ErrQueueFull,
		},
		"the queue of all is full": {
			cfg: fairshare.Config{Capacity: 1, MaxWaiting: 1},
			err: fairshare.ErrQueueFull,
		},
		"at its cap for too long": {
			cfg: fairshare.Config{Capacity: 2, Default: fairshare.Share{Max: 1}, AcquireTimeout: short},
			own: true, err: fairshare.ErrAcquireTimeout,
		},
		"all slots in use for too long": {
			cfg: fairshare.Config{Capacity: 1, AcquireTimeout: short},
			err: fairshare.ErrAcquireTimeout,
		},
		"it would be late": {
			cfg: fairshare.Config{Capacity: 1, AcquireTimeout: short, RejectLate: true},
			err: fairshare.ErrLate,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _ := newDoor(t, c.cfg)
				// The second waits: the mean holding time is known.
				for _, hold := range []time.Duration{1800, 1800} {
					work(d, "a", hold*time.Millisecond)
					synctest.Wait()
				}
				time.Sleep(30 * time.Second)
				work(d, "a", 10*time.Second)
				synctest.Wait()
				work(d, "a", 10*time.Second)
				synctest.Wait()
				_, refusal := d.Enter(as("a"))
				require.NotNil(t, refusal)
				require.Equal(t, "a", refusal.Tenant)
				require.ErrorIs(t, refusal.Err, c.err)
				require.Equal(t, c.own, refusal.Own)
				require.Positive(t, refusal.RetryAfter)
				time.Sleep(time.Minute)
			})
		})
	}
}

func TestWithoutAnEstimateTheAnswerIsTheWaitSoFarOrASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, sem := newDoor(t, fairshare.Config{Capacity: 1}) // no slot was released yet
		held, refusal := d.Enter(as("a"))
		require.Nil(t, refusal)
		ctx, cancel := context.WithTimeout(as("a"), 5*time.Second)
		defer cancel()
		_, refusal = d.Enter(ctx)
		require.ErrorIs(t, refusal.Err, context.DeadlineExceeded)
		requireRetryAfter(t, 5*time.Second, refusal)

		sem.Close()
		_, refusal = d.Enter(as("a"))
		require.ErrorIs(t, refusal.Err, fairshare.ErrClosed)
		requireRetryAfter(t, 2*time.Second/3, refusal)
		require.False(t, refusal.Own)
		held.Release()
	})
}

func TestNobodyWhoHasGoneIsToldToComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := newDoor(t, fairshare.Config{Capacity: 1})
		held, refusal := d.Enter(as("a"))
		require.Nil(t, refusal)
		ctx, cancel := context.WithCancel(as("a"))
		time.AfterFunc(time.Second, cancel)
		_, refusal = d.Enter(ctx)
		require.ErrorIs(t, refusal.Err, context.Canceled)
		require.Zero(t, refusal.RetryAfter)
		held.Release()
	})
}

func TestWhatALeaseAddsIsUsed(t *testing.T) {
	destroyed := make(chan string, 1)
	p, err := pool.New(pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "tab", nil },
		Destructor:  func(s string) { destroyed <- s },
		MaxSize:     1,
	})
	require.NoError(t, err)
	defer p.Close()
	d := gate.NewDoor(p, time.Minute)
	lease, refusal := d.Enter(as("a"))
	require.Nil(t, refusal)
	ctx := gate.WithPermit(context.Background(), lease)
	got, ok := gate.PermitFrom[pool.Lease[string]](ctx)
	require.True(t, ok)
	require.Equal(t, "tab", got.Value())
	_, ok = gate.PermitFrom[fairshare.Permit](ctx)
	require.False(t, ok)

	ctx, cancel := gate.Context(ctx, lease)
	defer cancel()
	require.Equal(t, 1, p.Revoke(nil, func(h pool.Holder) bool { return h.Tenant == "a" }))
	<-ctx.Done()
	require.ErrorIs(t, context.Cause(ctx), pool.ErrRevoked)
	gate.Abandon(lease)
	require.Equal(t, "tab", <-destroyed)
}

func TestAPermitWithoutAResourceIsReleasedWhenAbandoned(t *testing.T) {
	d, sem := newDoor(t, fairshare.Config{Capacity: 1})
	p, refusal := d.Enter(as("a"))
	require.Nil(t, refusal)
	ctx, cancel := gate.Context(context.Background(), p)
	cancel()
	require.NoError(t, ctx.Err())
	gate.Abandon(p)
	require.Zero(t, sem.Stats().InUse)
}
