package pool

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// counted returns a pool and the number of times that its alarm has gone off.
func counted(t *testing.T, cfg Config[int]) (*Pool[int], *atomic.Int64) {
	cfg.Constructor = func(context.Context) (int, error) { return 0, nil }
	p, err := New(cfg)
	require.NoError(t, err)
	calls := new(atomic.Int64)
	p.line.Lock()
	require.Nil(t, p.alarm.timer)
	p.alarm.timer = time.AfterFunc(time.Hour, func() { calls.Add(1); p.tend() })
	p.alarm.timer.Stop()
	p.line.Unlock()
	t.Cleanup(func() {
		require.NoError(t, p.Shutdown(context.Background()))
		synctest.Wait() // one may have been due at this very instant
		before := calls.Load()
		time.Sleep(24 * time.Hour)
		require.Equal(t, before, calls.Load(), "no alarm after the end")
	})
	return p, calls
}

func (p *Pool[T]) alarmSet() bool {
	p.line.Lock()
	defer p.line.Unlock()
	return p.alarm.at != 0
}

func TestAnAlarmGoesOffOnlyWhenSomethingIsDue(t *testing.T) {
	lease := func(p *Pool[int], n int) {
		for range n {
			l, err := p.Acquire(context.Background(), "a")
			require.NoError(t, err)
			defer l.Release()
		}
	}
	for name, c := range map[string]struct {
		config Config[int]
		most   int64 // alarms in a day
	}{
		"nothing to look after":  {Config[int]{}, 0},
		"idle time":              {Config[int]{Age: Age{MaxIdleTime: time.Minute}}, 3},
		"idle time and MinIdle":  {Config[int]{Age: Age{MaxIdleTime: time.Minute}, Sizes: Sizes{MinIdle: 4}}, 4},
		"lifetime":               {Config[int]{Age: Age{MaxLifetime: time.Hour}}, 3},
		"lifetime and MinIdle":   {Config[int]{Age: Age{MaxLifetime: time.Hour}, Sizes: Sizes{MinIdle: 1}}, 60},
		"keep alive":             {Config[int]{Health: Health[int]{Check: func(context.Context, int) error { return nil }, KeepAlive: time.Hour}}, 24 * 4 * 2},
		"leaks":                  {Config[int]{Guard: Guard{LeakAfter: time.Minute}}, 1},
		"reclaim without demand": {Config[int]{Reclaim: Reclaim{After: time.Minute}}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.config.MaxSize = 4
				p, calls := counted(t, c.config)
				lease(p, 4)
				time.Sleep(24 * time.Hour)
				require.LessOrEqual(t, calls.Load(), c.most)
			})
		})
	}
}

func TestNoAlarmIsSetWhileMinIdleKeepsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := counted(t, Config[int]{MaxSize: 4, Sizes: Sizes{MinIdle: 2}, Age: Age{MaxIdleTime: time.Second}})
		synctest.Wait()
		require.False(t, p.alarmSet())
		time.Sleep(time.Hour)
		require.Zero(t, calls.Load())
	})
}

// The timer is for the lease that lasts, and not set anew by each.
func TestABusyPoolIsTendedOncePerPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := counted(t, Config[int]{MaxSize: 2, Age: Age{MaxIdleTime: time.Minute}})
		for range 6000 {
			l, err := p.Acquire(context.Background(), "a")
			require.NoError(t, err)
			time.Sleep(100 * time.Millisecond)
			l.Release()
		}
		require.LessOrEqual(t, calls.Load(), int64(11))
	})
}
