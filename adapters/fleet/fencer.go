package fleet

import (
	"context"
	"fmt"
)

// A Fencer ends what the process of an expired grant may still have, such as
// its sessions at a database, because the process may be stopped and unable to.
//
// Fence returns nil once nothing is left that was opened under the token. It is
// called by one member at a time, from a goroutine of its own, before the
// quarantine of the grant ends; if it fails, the grant stays in quarantine, and
// another try follows. It may be called more than once.
type Fencer interface {
	Fence(ctx context.Context, process string, token int64) error
}

// FencerFunc is a function as a Fencer.
type FencerFunc func(ctx context.Context, process string, token int64) error

// Fence calls the function.
func (f FencerFunc) Fence(ctx context.Context, process string, token int64) error {
	return f(ctx, process, token)
}

// fence carries out an order of the engine.
func (m *Member) fence(ctx context.Context, o Order) {
	defer m.running.Done()
	ctx, cancel := context.WithTimeout(ctx, m.config.Terms.TTL/2)
	defer cancel()
	err := protect("Fencer", func() error { return m.config.Fencer.Fence(ctx, o.Process, o.Token) })
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.stats.FenceFailures++
		m.stats.FenceErr = fmt.Errorf("fleet: fence process %.40q: %w", o.Process, err)
		m.log("fence failed", "of", o.Process, "token", o.Token, "error", err)
		return
	}
	m.stats.Fences++
	m.fenced = append(m.fenced, o)
	m.log("fenced", "of", o.Process, "token", o.Token)
}
