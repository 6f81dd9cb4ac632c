package fairshare

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// What is left in an inbox while the line is locked is seen to when it is
// unlocked (invariant 4), also by one that goes on to ask ShareFunc.
func TestAReturnIsSeenToWhileShareFuncRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		s, err := NewSemaphore(Config{Capacity: 2, ShareFunc: func(capacity, tenants int) int {
			if tenants == 2 {
				<-answer
			}
			return capacity / tenants
		}})
		require.NoError(t, err)
		p, err := s.Acquire(context.Background(), "a")
		require.NoError(t, err)

		s.line.Lock()
		released := make(chan struct{})
		go func() {
			p.Release() // does not wait for the lock
			close(released)
		}()
		<-released
		s.line.sched.Join(s.line.sched.Tenant(s.line.now, "b"))
		go s.line.Unlock() // there are two tenants now: asks
		synctest.Wait()
		require.Nil(t, s.line.returns.Load())
		close(answer)
		synctest.Wait()
		require.Zero(t, s.Stats().InUse)
	})
}

// The same for an arrival: it may have a slot at once, and nobody else comes.
func TestAnArrivalIsSeenToByTheOneThatKeptItOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewSemaphore(Config{Capacity: 2, Default: Share{Max: 1}})
		require.NoError(t, err)
		p, err := s.Acquire(context.Background(), "a")
		require.NoError(t, err)
		granted := make(chan Permit, 2)
		acquire := func(tenant string) {
			p, err := s.Acquire(context.Background(), tenant)
			if err != nil {
				t.Error(err)
			}
			granted <- p
		}
		go acquire("a") // waits at its cap, which makes the line busy
		synctest.Wait()

		s.line.Lock()
		go acquire("b")
		synctest.Wait()
		require.NotNil(t, s.line.arrivals.Load())
		s.line.Unlock()
		synctest.Wait()
		require.Len(t, granted, 1)
		(<-granted).Release()
		p.Release()
		(<-granted).Release()
	})
}

func TestAnInboxKeepsTheOrderOfArrival(t *testing.T) {
	var box inbox[waiter]
	require.Nil(t, take(&box))
	for range 2 {
		all := make([]waiter, 5)
		for i := range all {
			put(&box, &all[i])
		}
		w := take(&box)
		for i := range all {
			require.Same(t, &all[i], w)
			w = w.next
		}
		require.Nil(t, w)
		require.True(t, box.Load() == nil)
	}
}

// A waiter may be left in the inbox, and give up before anybody has read it.
func TestAWaiterThatGaveUpBeforeItWasAdmittedLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewSemaphore(Config{Capacity: 1})
		require.NoError(t, err)
		p, err := s.Acquire(context.Background(), "a")
		require.NoError(t, err)
		waiting := make(chan Permit)
		go func() { // makes the line busy
			p, _ := s.Acquire(context.Background(), "b")
			waiting <- p
		}()
		synctest.Wait()

		ctx, cancel := context.WithCancel(context.Background())
		failed := make(chan error)
		s.line.Lock()
		go func() {
			_, err := s.Acquire(ctx, "c")
			failed <- err
		}()
		synctest.Wait()
		require.NotNil(t, s.line.arrivals.Load())
		cancel()
		s.line.Unlock()
		require.ErrorIs(t, <-failed, context.Canceled)

		p.Release()
		(<-waiting).Release()
		stats := s.Stats()
		require.Zero(t, stats.InUse)
		require.Zero(t, stats.Waiting)
		require.EqualValues(t, 1, stats.Canceled)
	})
}
