package pool

import (
	"context"
	"errors"
	"log/slog"
	"sync"
)

// reports are what is to be told with no caller to tell it to. They are told
// one after the other by a goroutine that lasts as long as there are any, so
// they may be made under any lock.
type reports struct {
	logger *slog.Logger

	mu      sync.Mutex
	queue   []func()
	running bool
	dropped int
}

// maxReports bounds the queue, should those who are told not keep up.
const maxReports = 1024

func (r *reports) log(msg string, args ...any) {
	if r.logger == nil {
		return
	}
	r.tell(func() { r.write(msg, args...) })
}

// write is log for a report. An error that is a panic comes with its stack.
func (r *reports) write(msg string, args ...any) {
	if r.logger != nil {
		for _, arg := range args {
			var panicked *PanicError
			if err, ok := arg.(error); ok && errors.As(err, &panicked) {
				args = append(args, "stack", panicked.Stack)
				break
			}
		}
		r.logger.Log(context.Background(), slog.LevelWarn, "pool: "+msg, args...)
	}
}

func (r *reports) tell(report func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) >= maxReports {
		r.dropped++
		return
	}
	r.queue = append(r.queue, report)
	if !r.running {
		r.running = true
		go r.run()
	}
}

func (r *reports) run() {
	finished := false
	defer func() {
		if !finished { // a report panicked or called Goexit
			_ = recover()
			go r.run()
		}
	}()
	for {
		r.mu.Lock()
		if len(r.queue) == 0 {
			r.running, r.queue = false, nil
			r.mu.Unlock()
			finished = true
			return
		}
		report, dropped := r.queue[0], r.dropped
		r.queue, r.dropped = r.queue[1:], 0
		r.mu.Unlock()
		if dropped > 0 {
			r.write("too many reports at once", "dropped", dropped)
		}
		report()
	}
}
