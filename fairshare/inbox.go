package fairshare

import "sync/atomic"

// An inbox is where a goroutine that finds the line locked leaves what it wants
// seen to, a waiter to admit or a slot to take back, rather than wait for the
// lock. Whoever has the lock reads the inbox on taking it and looks again after
// letting go, so nothing is left lying: either the one that left it gets the
// lock itself, or the one that kept it from doing so has yet to look.
type inbox[T any, P interface {
	*T
	link() **T
}] struct {
	latest atomic.Pointer[T]
}

func (b *inbox[T, P]) empty() bool { return b.latest.Load() == nil }

func (b *inbox[T, P]) put(item P) {
	for {
		latest := b.latest.Load()
		*item.link() = latest
		if b.latest.CompareAndSwap(latest, item) {
			return
		}
	}
}

// take empties the inbox and returns what was in it, oldest first and linked.
func (b *inbox[T, P]) take() (oldest P) {
	if b.empty() {
		return nil
	}
	for item := P(b.latest.Swap(nil)); item != nil; {
		next := *item.link()
		*item.link() = oldest
		oldest, item = item, next
	}
	return oldest
}
