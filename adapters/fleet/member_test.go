package fleet_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A gate is a Memory that can be closed.
type gate struct {
	fleet.Memory
	closed atomic.Bool
}

var errClosed = errors.New("no route to host")

func (g *gate) Sync(ctx context.Context, r fleet.Request) (fleet.Reply, error) {
	if g.closed.Load() {
		return fleet.Reply{}, errClosed
	}
	return g.Memory.Sync(ctx, r)
}

var terms = fleet.Terms{Version: 1, Capacity: 10}

func semaphore(t *testing.T) *fairshare.Semaphore {
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	require.NoError(t, err)
	return s
}

func join(t *testing.T, l fleet.Limiter, cfg fleet.Config) *fleet.Member {
	m, err := fleet.Join(t.Context(), l, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = m.Leave(ctx)
	})
	return m
}

func TestNothingIsHandedOutAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, s := new(gate), semaphore(t)
		var told error
		m := join(t, fleet.Semaphore(s), fleet.Config{
			Engine: engine, Terms: terms, AssumeFresh: true,
			OnExpired: func(err error) {
				told = err
				panic("which ends nothing but this")
			},
		})
		time.Sleep(5 * time.Second)
		require.NoError(t, m.Err())
		permit, err := s.Acquire(t.Context(), "a")
		require.NoError(t, err)
		ctx, cancel := m.Context(t.Context())
		defer cancel()

		engine.closed.Store(true)
		lost := time.Now()
		<-ctx.Done()
		after := time.Since(lost)
		require.Greater(t, after, 7*time.Second)
		require.LessOrEqual(t, after, 8500*time.Millisecond, "TTL less Margin after the last sync")
		synctest.Wait()
		_, ok := s.TryAcquire("a")
		require.False(t, ok)
		for _, err := range []error{m.Err(), context.Cause(ctx), told} {
			require.ErrorIs(t, err, fleet.ErrExpired)
			require.ErrorIs(t, err, fleet.ErrUnreachable)
			require.ErrorIs(t, err, errClosed)
			var e *fleet.LostError
			require.ErrorAs(t, err, &e)
			require.Equal(t, m.Stats().Process, e.Process)
		}

		// An Acquire that waits with the member's context fails closed.
		waiting, cancel := m.Context(t.Context())
		defer cancel()
		_, err = s.Acquire(waiting, "a")
		require.ErrorIs(t, err, fleet.ErrExpired)

		// The permit that is out stays attested, and all comes back.
		engine.closed.Store(false)
		time.Sleep(5 * time.Second)
		require.NoError(t, m.Err())
		require.Equal(t, uint64(1), m.Stats().Expiries)
		permit.Release()
	})
}

func TestLeasesAreRevokedAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := new(gate)
		var open atomic.Int64
		p, err := pool.New(pool.Config[int]{
			Constructor: func(context.Context) (int, error) { return int(open.Add(1)), nil },
			Destructor:  func(int) { open.Add(-1) },
			MaxSize:     4,
			Reclaim:     pool.Reclaim{Grace: time.Second},
		})
		require.NoError(t, err)
		defer p.Close()
		m := join(t, fleet.Pool(p), fleet.Config{Engine: engine, Terms: terms, AssumeFresh: true})
		heeded := make(chan error, 1)
		go func() {
			_ = p.Do(t.Context(), "a", func(ctx context.Context, _ int) error {
				<-ctx.Done()
				heeded <- context.Cause(ctx)
				return nil
			})
		}()
		stubborn, err := p.Acquire(t.Context(), "b")
		require.NoError(t, err)
		idle, err := p.Acquire(t.Context(), "b")
		require.NoError(t, err)
		idle.Release()
		time.Sleep(time.Second)
		require.EqualValues(t, 3, open.Load())
		engine.closed.Store(true)
		cause := <-heeded
		require.ErrorIs(t, cause, fleet.ErrExpired)
		require.ErrorIs(t, cause, pool.ErrRevoked)
		synctest.Wait()
		require.EqualValues(t, 1, open.Load(), "the idle one and the returned one are destroyed at once")
		<-stubborn.Revoked()
		time.Sleep(time.Second + time.Millisecond)
		require.Zero(t, open.Load())
		require.ErrorIs(t, m.Err(), fleet.ErrExpired)
	})
}

// A request that has been answered too late is no reason to go on.
func TestDeadlineCountsFromTheSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, s := &slow{}, semaphore(t)
		m := join(t, fleet.Semaphore(s), fleet.Config{
			Engine: engine, Terms: terms, AssumeFresh: true, Timeout: 5 * time.Second,
		})
		time.Sleep(3 * time.Second)
		engine.delay.Store(int64(4 * time.Second))
		time.Sleep(12 * time.Second)
		require.LessOrEqual(t, m.Stats().Left, 4500*time.Millisecond)
		require.NoError(t, m.Err())
		engine.delay.Store(0)
		time.Sleep(4 * time.Second) // until the last answer has come
	})
}

type slow struct {
	fleet.Memory
	delay atomic.Int64
}

func (s *slow) Sync(ctx context.Context, r fleet.Request) (fleet.Reply, error) {
	reply, err := s.Memory.Sync(ctx, r)
	time.Sleep(time.Duration(s.delay.Load()))
	return reply, err
}

func TestADemandIsMetAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, a, b := new(fleet.Memory), semaphore(t), semaphore(t)
		join(t, fleet.Semaphore(a), fleet.Config{Engine: engine, Terms: terms, AssumeFresh: true})
		join(t, fleet.Semaphore(b), fleet.Config{Engine: engine, Terms: terms})
		time.Sleep(5 * time.Second)
		start := time.Now()
		for range 5 {
			_, err := a.Acquire(t.Context(), "t")
			require.NoError(t, err)
		}
		require.Less(t, time.Since(start), 300*time.Millisecond, "no waiting for the next regular sync")
	})
}

func TestWhatIsGivenBackGoesToOthersSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, a, b := new(fleet.Memory), semaphore(t), semaphore(t)
		join(t, fleet.Semaphore(a), fleet.Config{Engine: engine, Terms: terms, AssumeFresh: true})
		join(t, fleet.Semaphore(b), fleet.Config{Engine: engine, Terms: terms})
		var held []fairshare.Permit
		for range 10 {
			p, err := a.Acquire(t.Context(), "t")
			require.NoError(t, err)
			held = append(held, p)
		}
		got := make(chan time.Time)
		go func() {
			_, err := b.Acquire(t.Context(), "t")
			if err == nil {
				got <- time.Now()
			}
		}()
		time.Sleep(4 * time.Second)
		start := time.Now()
		for _, p := range held[:5] {
			p.Release()
		}
		require.Less(t, (<-got).Sub(start), 1300*time.Millisecond)
	})
}

func TestProcessesThatDieAreFenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, a, b := new(gate), semaphore(t), semaphore(t)
		fences := make(chan fleet.Order, 10)
		var refuse, first atomic.Bool
		refuse.Store(true)
		first.Store(true)
		fencer := fleet.FencerFunc(func(_ context.Context, process string, token int64) error {
			fences <- fleet.Order{Process: process, Token: token}
			if first.Swap(false) {
				panic("which counts as a failure")
			}
			if refuse.Load() {
				return errClosed
			}
			return nil
		})
		ma := join(t, fleet.Semaphore(a), fleet.Config{Engine: engine, Terms: terms, AssumeFresh: true, Fencer: fencer})
		mb := join(t, fleet.Semaphore(b), fleet.Config{Engine: &engine.Memory, Terms: terms, Fencer: fencer})
		time.Sleep(2 * time.Second)
		token := ma.Token()
		engine.closed.Store(true)
		for range 2 { // it is tried again
			require.Equal(t, fleet.Order{Process: ma.Stats().Process, Token: token}, <-fences)
		}
		require.Greater(t, mb.Stats().Used, mb.Stats().Grant, "a fence that fails keeps the slots back")
		require.ErrorIs(t, mb.Stats().FenceErr, errClosed)
		refuse.Store(false)
		<-fences
		time.Sleep(8 * time.Second)
		require.Equal(t, mb.Stats().Grant, mb.Stats().Used)
		require.Equal(t, uint64(1), mb.Stats().Fences)

		// Back again, it starts anew with a greater token.
		engine.closed.Store(false)
		time.Sleep(3 * time.Second)
		require.NoError(t, ma.Err())
		require.Greater(t, ma.Token(), token)
	})
}

func TestJoinSaysWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			field string
			cfg   fleet.Config
		}{
			{"Config.Engine is nil", fleet.Config{Terms: terms}},
			{"Terms.Capacity is -1", fleet.Config{Terms: fleet.Terms{Capacity: -1}}},
			{"Terms.TTL is 2s", fleet.Config{Terms: fleet.Terms{TTL: 2 * time.Second}}},
			{"Terms.Quarantine is -1s", fleet.Config{Terms: fleet.Terms{Quarantine: -time.Second}}},
			{"Config.Margin is 1s", fleet.Config{Terms: terms, Margin: time.Second}},
			{"Terms.TTL is 10s", fleet.Config{Terms: terms, Margin: 9 * time.Second}},
			{"Config.Timeout is 1ns", fleet.Config{Terms: terms, Timeout: 1}},
			{"Config.Process is 300 bytes", fleet.Config{Terms: terms, Process: string(make([]byte, 300))}},
		} {
			if test.field != "Config.Engine is nil" {
				test.cfg.Engine = new(fleet.Memory)
			}
			_, err := fleet.Join(t.Context(), fleet.Semaphore(semaphore(t)), test.cfg)
			require.ErrorContains(t, err, test.field)
		}

		engine := new(gate)
		first := join(t, fleet.Semaphore(semaphore(t)), fleet.Config{Engine: engine, Terms: terms, Process: "p", AssumeFresh: true})
		_, err := fleet.Join(t.Context(), fleet.Semaphore(semaphore(t)), fleet.Config{Engine: engine, Terms: terms, Process: "p"})
		require.ErrorIs(t, err, fleet.ErrInUse)

		_, err = fleet.Join(t.Context(), fleet.Semaphore(semaphore(t)), fleet.Config{Engine: engine, Terms: fleet.Terms{Version: 1, Capacity: 11}})
		var mismatch *fleet.TermsError
		require.ErrorAs(t, err, &mismatch)
		require.Equal(t, "Capacity", mismatch.Field)
		require.ErrorContains(t, err, "Terms.Capacity is 11 in version 1, but 10 in version 1, which is in force")

		engine.closed.Store(true)
		_, err = fleet.Join(t.Context(), fleet.Semaphore(semaphore(t)), fleet.Config{Engine: engine, Terms: terms})
		require.ErrorIs(t, err, fleet.ErrUnreachable)
		engine.closed.Store(false)

		busy := semaphore(t)
		_, err = busy.Acquire(t.Context(), "a")
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = fleet.Join(ctx, fleet.Semaphore(busy), fleet.Config{Engine: engine, Terms: terms})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "1 slots in use")
		require.NoError(t, first.Err())
	})
}

func TestAnUnknownFleetIsLearnedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := semaphore(t)
		m := join(t, fleet.Semaphore(s), fleet.Config{Engine: new(fleet.Memory), Terms: terms})
		time.Sleep(5 * time.Second)
		require.ErrorIs(t, m.Err(), fleet.ErrLearning)
		start := time.Now()
		_, err := s.Acquire(t.Context(), "a")
		require.NoError(t, err)
		require.InDelta(t, 10, time.Since(start).Seconds(), 1.5)
		require.NoError(t, m.Err())
	})
}

func TestLeaveGivesBackWhatIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, a := new(fleet.Memory), semaphore(t)
		m := join(t, fleet.Semaphore(a), fleet.Config{Engine: engine, Terms: terms, AssumeFresh: true})
		other := join(t, fleet.Semaphore(semaphore(t)), fleet.Config{Engine: engine, Terms: terms})
		p, err := a.Acquire(t.Context(), "t")
		require.NoError(t, err)
		_, err = a.Acquire(t.Context(), "t")
		require.NoError(t, err)
		go func() {
			time.Sleep(15 * time.Second) // longer than a grant would last
			p.Release()
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		err = m.Leave(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "1 slots in use")
		require.NoError(t, m.Leave(t.Context()))
		require.ErrorIs(t, m.Err(), fleet.ErrLeft)
		time.Sleep(2 * time.Second)
		require.Equal(t, other.Stats().Grant+1, other.Stats().Used, "what is left is in quarantine")
		time.Sleep(5 * time.Second)
		require.Equal(t, other.Stats().Grant, other.Stats().Used)
	})
}

func TestSharesOfTheUserAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := semaphore(t)
		join(t, fleet.Semaphore(s), fleet.Config{Engine: new(fleet.Memory), Terms: terms, AssumeFresh: true})
		require.NoError(t, s.SetShare("heavy", fairshare.Share{Weight: 3, MaxWaiting: 50}))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{}, 60)
		for i := range 60 {
			go func() {
				tenant := []string{"heavy", "light"}[i%2]
				for ctx.Err() == nil {
					if p, err := s.Acquire(ctx, tenant); err == nil {
						time.Sleep(100 * time.Millisecond)
						p.Release()
					}
				}
				done <- struct{}{}
			}()
		}
		time.Sleep(5 * time.Second)
		shares := func() map[string]fairshare.TenantStats {
			all := make(map[string]fairshare.TenantStats)
			for tenant, stats := range s.Tenants() {
				all[tenant] = stats
			}
			return all
		}
		now := shares()
		require.InDelta(t, 7.5, now["heavy"].Share.Weight, 0.1, "its quota")
		require.InDelta(t, 2.5, now["light"].Share.Weight, 0.1)
		require.Equal(t, 50, now["heavy"].Share.MaxWaiting)
		require.NoError(t, s.SetShare("heavy", fairshare.Share{Weight: 1}))
		time.Sleep(3 * time.Second)
		require.InDelta(t, 5, shares()["heavy"].Share.Weight, 0.1, "a change by the user counts")
		cancel()
		for range 60 {
			<-done
		}
		time.Sleep(3 * time.Second)
		require.Equal(t, 1.0, shares()["heavy"].Share.Weight)
		require.Equal(t, 1.0, shares()["light"].Share.Weight)
	})
}

func TestAMemberCostsAcquireNothing(t *testing.T) {
	s := semaphore(t)
	join(t, fleet.Semaphore(s), fleet.Config{Engine: new(fleet.Memory), Terms: terms, AssumeFresh: true})
	p, err := s.Acquire(t.Context(), "a") // waits for the grant
	require.NoError(t, err)
	p.Release()
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if p, err := s.Acquire(context.Background(), "a"); err == nil {
			p.Release()
		}
	}))
}
