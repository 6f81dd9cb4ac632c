package pool

import (
	"sync"
	"time"
)

// graceOfHooks is what a hook whose context has ended has left to return. One
// that does not is left behind.
const graceOfHooks = 100 * time.Millisecond

// A watchdog ends the calls of hooks that do not return in time. It has one
// timer for all of them. It is not reset when a call returns in time, so it may
// fire in vain.
type watchdog[T any] struct {
	mu     sync.Mutex
	latest *call[T] // the list of the calls that run
	timer  *time.Timer
	at     time.Time // when the timer fires; zero: it is not set
	closed bool
}

// watch looks after a call until forget.
func (w *watchdog[T]) watch(c *call[T]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		c.due = earlier(c.due, time.Now().Add(graceOfHooks))
	}
	c.older, c.watched = w.latest, true
	if c.older != nil {
		c.older.newer = c
	}
	w.latest = c
	w.setLocked(c.due)
}

func (w *watchdog[T]) forget(c *call[T]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forgetLocked(c)
	if w.closed && w.latest == nil {
		w.timer.Stop()
	}
}

func (w *watchdog[T]) forgetLocked(c *call[T]) {
	if !c.watched {
		return
	}
	if c.newer == nil {
		w.latest = c.older
	} else {
		c.newer.older = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	}
	c.newer, c.older, c.watched = nil, nil, false
}

// setLocked has the timer fire at the given time, or earlier.
func (w *watchdog[T]) setLocked(at time.Time) {
	if !w.at.IsZero() && !at.Before(w.at) {
		return
	}
	w.at = at
	if w.timer == nil {
		w.timer = time.AfterFunc(time.Until(at), w.look)
	} else {
		w.timer.Reset(time.Until(at))
	}
}

// look ends the calls whose time is up.
func (w *watchdog[T]) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = time.Time{}
	now := time.Now()
	var next time.Time
	for c := w.latest; c != nil; {
		older := c.older
		if !now.Before(c.due) {
			w.forgetLocked(c)
			go c.outlasted()
		} else if next.IsZero() || c.due.Before(next) {
			next = c.due
		}
		c = older
	}
	if !next.IsZero() {
		w.setLocked(next)
	}
}

// close gives the calls that run no more than the grace.
func (w *watchdog[T]) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	due := time.Now().Add(graceOfHooks)
	for c := w.latest; c != nil; c = c.older {
		c.due = earlier(c.due, due)
	}
	if w.latest != nil {
		w.setLocked(due)
	} else if w.timer != nil {
		w.timer.Stop()
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
