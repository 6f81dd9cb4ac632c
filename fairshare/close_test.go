package fairshare_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// Invariant 10.
func TestCloseWakesEveryWaiterAtOnce(t *testing.T) {
	for name, cfg := range map[string]fairshare.Config{
		"work-conserving": slots(2), "strict": strict(2), "capped": {Capacity: 2, Default: fairshare.Share{Max: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSemaphore(t, cfg)
				permits := []fairshare.Permit{acquire(t, s, "0"), acquire(t, s, "1")}
				var waiting []*pending
				for i := range 300 {
					waiting = append(waiting, begin(background, s, fmt.Sprint(i%30)))
				}
				time.Sleep(time.Second)
				s.Close()
				for _, w := range waiting {
					e := w.failed(t)
					require.ErrorIs(t, e, fairshare.ErrClosed)
					require.Equal(t, fairshare.Closed, e.Reason)
					require.Equal(t, time.Second, e.Waited)
					require.Equal(t, time.Second, w.waited)
					require.EqualError(t, e, fmt.Sprintf(`fairshare: acquire for tenant %q: closed after 1s`, e.Tenant))
				}
				require.Zero(t, s.Stats().Waiting)
				releaseAll(permits)
			})
		})
	}
}

func TestNothingIsHandedOutAfterClose(t *testing.T) {
	s := newSemaphore(t, slots(2))
	a := s.Join("a")
	p := acquire(t, s, "a")
	s.Close()

	_, err := s.Acquire(background, "b") // though a slot is free
	require.ErrorIs(t, err, fairshare.ErrClosed)
	require.EqualError(t, err, `fairshare: acquire for tenant "b": closed`)
	_, err = a.Acquire(background)
	require.ErrorIs(t, err, fairshare.ErrClosed)
	_, ok := s.TryAcquire("b")
	require.False(t, ok)
	require.NoError(t, s.Resize(5))
	require.NoError(t, s.SetShare("b", fairshare.Share{Min: 1}))
	_, ok = s.TryAcquire("b")
	require.False(t, ok)

	require.Equal(t, 1, s.Stats().InUse, "a permit outlives Close")
	p.Release()
	p.Release()
	require.Zero(t, s.Stats().InUse)
	a.Leave()
}

func TestClosingTwiceIsHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		p := acquire(t, s, "a")
		waiting := begin(background, s, "b")
		var all sync.WaitGroup
		for range 5 {
			all.Go(s.Close)
		}
		all.Wait()
		require.ErrorIs(t, waiting.failed(t), fairshare.ErrClosed)
		s.Close()
		p.Release()
	})
}

// A Close that races Acquires leaves no one behind: each either got a slot, or
// ErrClosed.
func TestCloseLeavesNobodyBehind(t *testing.T) {
	for range 20 {
		s := newSemaphore(t, slots(2))
		var all sync.WaitGroup
		started := make(chan struct{}, 8)
		for i := range 8 {
			all.Go(func() {
				started <- struct{}{}
				for {
					p, err := s.Acquire(background, fmt.Sprint(i%3))
					if err != nil {
						if e := err.(*fairshare.AcquireError); e.Err != fairshare.ErrClosed {
							t.Error(err)
						}
						return
					}
					p.Release()
				}
			})
		}
		for range 8 {
			<-started
		}
		s.Close()
		all.Wait()
	}
}
