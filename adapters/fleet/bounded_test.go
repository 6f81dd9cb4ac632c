package fleet_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/stretchr/testify/require"
)

// A deaf engine does its work when it is called, and hangs with the answer, whatever becomes of the context.
type deaf struct {
	fleet.Memory
	hangs atomic.Int64
}

func (d *deaf) Sync(_ context.Context, r fleet.Request) (fleet.Reply, error) {
	hangs := time.Duration(d.hangs.Load())
	reply, err := d.Memory.Sync(context.Background(), r)
	time.Sleep(hangs)
	return reply, err
}

func TestAnEngineThatDoesNotHeedItsContextCostsNoGrant(t *testing.T) {
	for _, gap := range []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, time.Second} {
		t.Run(gap.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				engine, s := &deaf{}, semaphore(t)
				m := join(t, fleet.Semaphore(s), fleet.Config{
					Engine: engine, AssumeFresh: true,
					Terms: fleet.Terms{Version: 1, Capacity: 10, Refresh: 250 * time.Millisecond, TTL: 2 * time.Second},
				})
				time.Sleep(3 * time.Second)
				engine.hangs.Store(int64(30 * time.Second)) // as a client does whose replies are lost
				time.Sleep(gap)
				engine.hangs.Store(0)
				time.Sleep(20 * time.Second)
				stats := m.Stats()
				require.Zero(t, stats.Expiries)
				require.NotZero(t, stats.Failures)
				require.NoError(t, m.Err())
				time.Sleep(15 * time.Second) // until what hung has returned
			})
		})
	}
}

func TestCallsThatNeverReturnAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, s := &deaf{}, semaphore(t)
		m := join(t, fleet.Semaphore(s), fleet.Config{Engine: engine, AssumeFresh: true, Terms: terms})
		time.Sleep(3 * time.Second)
		engine.hangs.Store(int64(time.Hour))
		time.Sleep(30 * time.Minute)
		require.ErrorContains(t, m.Stats().Err, "16 calls have not returned")
		require.ErrorIs(t, m.Err(), fleet.ErrExpired)
		engine.hangs.Store(0)
		time.Sleep(time.Hour)
		require.NoError(t, m.Err(), "it goes on once they have returned")
	})
}

func TestLeaveEndsWithItsContext(t *testing.T) {
	for _, patience := range []time.Duration{0, time.Second, 4 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			engine := &deaf{}
			m, err := fleet.Join(t.Context(), fleet.Semaphore(semaphore(t)), fleet.Config{Engine: engine, AssumeFresh: true, Terms: terms})
			require.NoError(t, err)
			time.Sleep(3 * time.Second)
			engine.hangs.Store(int64(time.Minute))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			start := time.Now()
			require.ErrorIs(t, m.Leave(ctx), fleet.ErrUnreachable)
			require.LessOrEqual(t, time.Since(start), patience+time.Second, "one try may outlast it")
			time.Sleep(2 * time.Minute)
		})
	}
}

// The Constructor of a pool may ask for the grant before Join has returned.
func TestAMemberThatIsStillToJoinHasNoGrant(t *testing.T) {
	var m *fleet.Member
	require.ErrorIs(t, m.Err(), fleet.ErrJoining)
	require.EqualError(t, m.Err(), fleet.ErrJoining.Error())
	ctx, cancel := m.Context(t.Context())
	defer cancel()
	require.ErrorIs(t, context.Cause(ctx), fleet.ErrJoining)
	require.Zero(t, m.Token())
	require.Zero(t, m.Stats())
	require.NoError(t, m.Leave(t.Context()))
}

func TestTheContextOfAMemberHasEndedWhileTheEngineLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := semaphore(t)
		m := join(t, fleet.Semaphore(s), fleet.Config{Engine: new(fleet.Memory), Terms: terms})
		time.Sleep(5 * time.Second)
		ctx, cancel := m.Context(t.Context())
		defer cancel()
		_, err := s.Acquire(ctx, "a")
		require.ErrorIs(t, err, fleet.ErrLearning)
	})
}
