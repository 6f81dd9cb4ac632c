package fleet

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Memory is an Engine inside one process: for tests and examples, and to share
// one capacity among several pools. The zero Memory is ready for use.
type Memory struct {
	mu    sync.Mutex
	state State
}

// Sync is one step of the State.
func (m *Memory) Sync(ctx context.Context, r Request) (Reply, error) {
	return m.SyncAt(ctx, time.Time{}, "", r)
}

// SyncAt is Sync at a given time of day, if that is not zero, and by an engine
// of a given identity: for tests.
func (m *Memory) SyncAt(ctx context.Context, wall time.Time, identity string, r Request) (Reply, error) {
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	if err := r.Check(); err != nil {
		return Reply{}, err
	}
	r.Claims = slices.Clone(r.Claims) // which the state keeps
	m.mu.Lock()
	defer m.mu.Unlock()
	if wall.IsZero() {
		wall = time.Now().Truncate(time.Microsecond)
	}
	return m.state.Sync(wall, identity, r), nil
}
