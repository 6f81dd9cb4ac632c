package fairshare

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Waits that ended well are forgotten before their time would have been up: a
// busy line would have gathered a day's worth otherwise.
func TestWaitsThatAreOverDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewSemaphore(Config{Capacity: 1, AcquireTimeout: 24 * time.Hour})
		require.NoError(t, err)
		p := &s.line.patience
		for _, waiting := range []int{1, 200, 3} {
			first, err := s.Acquire(context.Background(), "a")
			require.NoError(t, err)
			most := 0
			var all sync.WaitGroup
			for range waiting {
				all.Go(func() {
					for range 3000 / waiting {
						permit, err := s.Acquire(context.Background(), "a")
						if err != nil {
							t.Error(err)
							return
						}
						s.line.Lock()
						most = max(most, len(p.stays))
						s.line.Unlock()
						time.Sleep(time.Millisecond)
						permit.Release()
					}
				})
			}
			synctest.Wait()
			first.Release()
			all.Wait()
			require.LessOrEqual(t, most, max(64, 2*waiting))
			s.line.Lock()
			require.LessOrEqual(t, cap(p.stays), 2000)
			s.line.Unlock()
		}
		s.line.Lock()
		require.NotNil(t, p.timer)
		s.line.Unlock()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		require.Nil(t, p.timer, "nobody waits")
		require.Nil(t, p.stays)
	})
}

func TestNoTimerIsSetWithoutAnAcquireTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewSemaphore(Config{Capacity: 1})
		require.NoError(t, err)
		p, err := s.Acquire(context.Background(), "a")
		require.NoError(t, err)
		var all sync.WaitGroup
		all.Go(func() {
			p, err := s.Acquire(context.Background(), "a")
			if err != nil {
				t.Error(err)
			}
			p.Release()
		})
		synctest.Wait()
		require.Nil(t, s.line.patience.timer)
		require.Empty(t, s.line.patience.stays)
		p.Release()
		all.Wait()
	})
}

func TestCloseLeavesNoTimerBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewSemaphore(Config{Capacity: 1, AcquireTimeout: time.Hour})
		require.NoError(t, err)
		_, err = s.Acquire(context.Background(), "a")
		require.NoError(t, err)
		go s.Acquire(context.Background(), "a")
		synctest.Wait()
		timer := s.line.patience.timer
		s.Close()
		require.False(t, timer.Stop(), "still set")
		require.Nil(t, s.line.patience.timer)
		s.line.loosePatience() // one that was waiting for the lock
		require.Nil(t, s.line.patience.timer)
	})
}
