package fleet

import (
	"context"
	"fmt"
	"time"
)

// Leave hands out nothing more, waits until nothing is in use any more, or ctx
// ends, and gives the grant back. If the engine does not answer, Leave tries
// again until ctx ends, or for a TTL, after which the grant is over anyway. The
// last try may take Config.Timeout beyond ctx. If something is left in use, Leave
// returns an error that wraps that of ctx, and the engine keeps the slots in
// quarantine. The limiter stays at a capacity of 0. Further calls return nil, and
// so do calls of a nil Member.
func (m *Member) Leave(ctx context.Context) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	if m.leaving {
		m.mu.Unlock()
		return nil
	}
	m.leaving = true
	m.resizeLocked()
	m.mu.Unlock()
	m.hurry()
	live := m.drain(ctx)
	m.stop()
	m.running.Wait()
	err := m.depart(ctx)
	if live > 0 {
		return fmt.Errorf("fleet: leave: %w with %d slots in use", ctx.Err(), live)
	}
	return err
}

// drain waits for nothing to be in use, and returns what is.
func (m *Member) drain(ctx context.Context) int {
	ticker := time.NewTicker(minPause)
	defer ticker.Stop()
	for {
		live := m.limiter.Usage().Live
		if live == 0 {
			return 0
		}
		select {
		case <-ctx.Done():
			return live
		case <-ticker.C:
		}
	}
}

// depart gives the grant back. It tries at least once.
func (m *Member) depart(ctx context.Context) error {
	defer m.part()
	ctx, cancel := context.WithTimeout(ctx, m.config.Terms.TTL)
	defer cancel()
	for {
		r, _, ok := m.prepare()
		if !ok || r.Token == 0 {
			return nil
		}
		r.Leave = true
		attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.config.Timeout)
		_, err := m.ask(attempt, r)
		cancel()
		if err == nil {
			return nil // or the attempt before has come through
		}
		select {
		case <-ctx.Done():
			return unreachable(err)
		case <-time.After(m.config.Timeout / 4):
		}
	}
}

// part is the end of a membership.
func (m *Member) part() {
	m.mu.Lock()
	m.token = 0
	m.loseLocked(ErrLeft, nil)
	if m.timer != nil {
		m.timer.Stop()
	}
	m.mu.Unlock()
	m.running.Wait()
}
