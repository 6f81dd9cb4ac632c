package fairshare

import "sync/atomic"

// An inbox is where a goroutine that finds the line locked leaves what it wants
// seen to, a waiter to admit or a slot to take back, rather than wait for the
// lock. Whoever has the lock reads the inbox on taking it and looks again after
// letting go, so nothing is left lying: whoever left it either gets the lock
// itself, or sees in Line.locked that somebody has yet to look.
//
// It is the head of a linked list, the latest first.
type inbox[T any] = atomic.Pointer[T]

// linked is what lies in an inbox.
type linked[T any] interface {
	*T
	link() **T
}

func put[T any, P linked[T]](b *inbox[T], item P) {
	for {
		latest := b.Load()
		*item.link() = latest
		if b.CompareAndSwap(latest, item) {
			return
		}
	}
}

// take empties the inbox and returns what was in it, oldest first and linked.
func take[T any, P linked[T]](b *inbox[T]) (oldest P) {
	for item := P(b.Swap(nil)); item != nil; {
		next := *item.link()
		*item.link() = oldest
		oldest, item = item, next
	}
	return oldest
}
