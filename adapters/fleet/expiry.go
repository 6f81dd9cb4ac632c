package fleet

import (
	"context"
	"time"
)

// expire ends the grant if its deadline has passed.
func (m *Member) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lost != nil {
		return
	}
	if left := m.deadline - m.elapsed.now(); left > 0 {
		m.timer.Reset(left)
		return
	}
	m.stats.Expiries++
	m.loseLocked(ErrExpired, m.stats.Err)
}

// loseLocked takes back everything. What is in use remains attested until it
// has ended.
func (m *Member) loseLocked(reason, err error) {
	m.limit, m.target = 0, 0
	m.resizeLocked()
	again := m.lost != nil
	m.lost = &LostError{Process: m.config.Process, Since: time.Now(), Reason: reason, Err: err}
	if again || reason == ErrJoining {
		return
	}
	lost := m.lost
	m.end(lost)
	m.running.Add(1)
	go func() {
		defer m.running.Done()
		m.limiter.Revoke(lost)
		m.log("grant lost", "error", lost)
		if told := m.config.OnExpired; told != nil {
			if err := protect("OnExpired", func() error { told(lost); return nil }); err != nil {
				m.log("OnExpired failed", "error", err)
			}
		}
	}()
}

// regainLocked is the opposite.
func (m *Member) regainLocked() {
	if m.lost != nil {
		m.lost = nil
		m.grant, m.end = context.WithCancelCause(context.Background())
	}
}

// Err returns nil while the process has a grant, and else a *LostError that
// says why it has none. A grant may be for no slots: then it is ErrLearning
// that says why, if the engine is learning, and nil if others need them all.
//
// It looks at the clock: right after it, the grant lasts for Config.Margin at
// least.
//
// A nil Member has no grant yet: the Constructor of a pool may ask a variable that
// Join is still to set.
func (m *Member) Err() error {
	if m == nil {
		return &LostError{Reason: ErrJoining}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.errLocked()
}

func (m *Member) errLocked() error {
	if m.lost == nil && m.elapsed.now() < m.deadline {
		if m.stats.Learning > 0 && m.limit == 0 {
			return &LostError{Process: m.config.Process, Since: m.elapsed.at(m.deadline - m.config.Terms.TTL), Reason: ErrLearning}
		}
		return nil
	}
	if m.lost == nil {
		return &LostError{Process: m.config.Process, Since: m.elapsed.at(m.deadline), Reason: ErrExpired, Err: m.stats.Err}
	}
	lost := *m.lost
	if lost.Err == nil {
		lost.Err = m.stats.Err
	}
	return &lost
}

// Context returns a context for work under a slot of the fleet, or to wait for
// one: it is done when parent is, or when the grant is lost, with a *LostError
// as its cause; at once if Err is not nil. An Acquire with it fails closed
// rather than wait for a grant to come. The caller calls cancel when the work is
// over.
func (m *Member) Context(parent context.Context) (ctx context.Context, cancel context.CancelFunc) {
	ctx, end := context.WithCancelCause(parent)
	if m == nil {
		end(m.Err())
		return ctx, func() {}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.errLocked(); err != nil {
		end(err)
		return ctx, func() {}
	}
	grant := m.grant
	forget := context.AfterFunc(grant, func() { end(context.Cause(grant)) })
	return ctx, func() {
		forget()
		end(nil)
	}
}
