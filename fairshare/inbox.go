package fairshare

import "sync/atomic"

// An inbox is where a goroutine that finds the line locked leaves a note of
// what it wants done, rather than wait for the lock. Whoever has the lock
// reads the inbox on taking it and looks again after letting go, so no note is
// left lying: either the writer of the note gets the lock itself, or the one
// that kept it from doing so has yet to look.
type inbox struct {
	latest atomic.Pointer[note]
}

// A note asks for a waiter to be admitted or a slot to be returned.
type note struct {
	next   *note
	waiter *waiter
	slot   *Slot
}

func (b *inbox) empty() bool { return b.latest.Load() == nil }

func (b *inbox) put(n *note) {
	for {
		n.next = b.latest.Load()
		if b.latest.CompareAndSwap(n.next, n) {
			return
		}
	}
}

// take empties the inbox and returns its notes, oldest first.
func (b *inbox) take() (oldest *note) {
	if b.empty() {
		return nil
	}
	for n := b.latest.Swap(nil); n != nil; {
		n.next, oldest, n = oldest, n, n.next
	}
	return oldest
}
