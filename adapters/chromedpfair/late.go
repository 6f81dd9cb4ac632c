package chromedpfair

import (
	"context"
	"log/slog"
	"sync"
)

// A lateHandler is a slog.Handler that hands on what it gets from a goroutine of
// its own, one record after the other: a Logger is code of the user, which is
// not to run under a lock, or to keep anybody waiting.
type lateHandler struct {
	handler slog.Handler
	queue   *lateQueue
}

func newLateLogger(l *slog.Logger) *slog.Logger {
	return slog.New(&lateHandler{l.Handler(), new(lateQueue)})
}

// Enabled lets everything pass: to ask the handler is for the goroutine.
func (h *lateHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *lateHandler) Handle(ctx context.Context, r slog.Record) error {
	h.queue.add(func() {
		if h.handler.Enabled(ctx, r.Level) {
			_ = h.handler.Handle(ctx, r)
		}
	})
	return nil
}

func (h *lateHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lateHandler{h.handler.WithAttrs(attrs), h.queue}
}

func (h *lateHandler) WithGroup(name string) slog.Handler {
	return &lateHandler{h.handler.WithGroup(name), h.queue}
}

// A lateQueue calls functions in order, in a goroutine that exists while there
// are any.
type lateQueue struct {
	mu      sync.Mutex
	due     []func()
	running bool
}

// mostLate bounds the queue, should who is told not keep up. What is beyond it
// is lost.
const mostLate = 1024

func (q *lateQueue) add(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.due) >= mostLate {
		return
	}
	q.due = append(q.due, f)
	if !q.running {
		q.running = true
		go q.run()
	}
}

func (q *lateQueue) run() {
	idle := false
	defer func() {
		if !idle { // it panicked or called Goexit, and there is nobody left to tell
			_ = recover()
			go q.run()
		}
	}()
	for f := q.next(); f != nil; f = q.next() {
		f()
	}
	idle = true
}

func (q *lateQueue) next() func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.due) == 0 {
		q.due, q.running = nil, false
		return nil
	}
	f := q.due[0]
	q.due = q.due[1:]
	return f
}
