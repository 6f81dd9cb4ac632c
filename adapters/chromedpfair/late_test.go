package chromedpfair

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A nosyHandler asks the pool what goes on while it is told something, which
// would never end if that were done under a lock, and panics now and then.
type nosyHandler struct {
	slog.Handler
	pool func() *Pool

	mu   sync.Mutex
	told []string
}

func (h *nosyHandler) Enabled(context.Context, slog.Level) bool {
	h.pool().Browsers()
	return true
}

func (h *nosyHandler) Handle(_ context.Context, r slog.Record) error {
	h.pool().Browsers()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, r.Message)
	if len(h.told)%2 == 0 {
		panic("nosy")
	}
	return nil
}

func (h *nosyHandler) heard(message string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.told, message)
}

func TestALoggerMayUseThePool(t *testing.T) {
	made := make(chan struct{})
	var p *Pool
	h := &nosyHandler{pool: func() *Pool { <-made; return p }}
	p = newPool(t, Config{Logger: slog.New(h), Retire: Retire{MaxTabsServed: 1, Drain: 100 * time.Millisecond}})
	close(made)
	err := p.Do(within(t, time.Minute), "a", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	require.ErrorIs(t, err, ErrBrowserRetired)
	for _, message := range []string{"browser started", "browser is retired", "browser is killed: its time to drain is over"} {
		eventually(t, message, func() bool { return h.heard(message) })
	}
}
