package turns

import "time"

// A Timer is a time.Timer of AfterFunc. How long it takes is not looked at: it
// may run out at any time, and does so when nobody else can go on.
type Timer struct {
	fn   func()
	turn *turn
}

// AfterFunc stands for time.AfterFunc.
func AfterFunc(_ time.Duration, fn func()) *Timer {
	t := &Timer{fn: fn}
	t.start()
	return t
}

func (t *Timer) start() {
	t.turn = start("a timer", t.fn)
	t.turn.what, t.turn.timer = "runs out", true
}

// Later is Go for something that may happen at any time, like the end of a
// timer, and happens when nobody else can go on.
func Later(name string, fn func()) { start(name, fn).timer = true }

// Stop keeps the timer from running out, and reports whether it had not yet.
func (t *Timer) Stop() bool {
	pending := t.turn.timer
	if pending {
		t.turn.timer, t.turn.over = false, true
	}
	return pending
}

// Reset starts the timer again.
func (t *Timer) Reset(time.Duration) bool {
	pending := t.Stop()
	t.start()
	return pending
}
