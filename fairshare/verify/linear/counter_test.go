package linear

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// A kind is what was called, and how it ended.
type kind uint8

const (
	take   kind = iota // an Acquire or TryAcquire that got a slot
	refuse             // a TryAcquire that did not
	give               // a Release of a permit that was out
	size               // a Resize to n
	look               // a Stats that found n slots in use
	end                // a Close
	ended              // an Acquire that failed with ErrClosed

	// An Acquire that was cancelled may have been granted a slot before it
	// noticed, and passed it on. So it is two questions, the second after the
	// first: to take a slot or not, and to give back what it took.
	grab
	drop
)

// A question is the input of an operation. The answer is part of it: it tells
// which question it was.
type question struct {
	kind kind
	n    int // slots, or which of the cancelled Acquires
}

func (q question) String() string {
	name := [...]string{"takes a slot", "is refused one", "gives one back", "resizes to", "finds in use", "closes", "finds it closed",
		"cancelled, may have taken one", "cancelled, has none"}[q.kind]
	if q.kind == size || q.kind == look {
		return fmt.Sprint(name, " ", q.n)
	}
	return name
}

// A counter is the semaphore with one caller at a time.
type counter struct {
	capacity, held int
	closed         bool
	began, limbo   uint64 // cancelled Acquires under way by number: all, and those that hold a slot
}

// ask returns what the counter may become by the question; nothing, if it would
// have been answered otherwise.
func (c counter) ask(q question) (next []counter) {
	free := c.held < c.capacity && !c.closed
	one := uint64(1) << q.n
	switch q.kind {
	case take:
		if free {
			c.held++
			return []counter{c}
		}
	case refuse:
		if !free {
			return []counter{c}
		}
	case give:
		if c.held > 0 {
			c.held--
			return []counter{c}
		}
	case size:
		c.capacity = q.n
		return []counter{c}
	case look:
		if c.held == q.n {
			return []counter{c}
		}
	case end:
		c.closed = true
		return []counter{c}
	case ended:
		if c.closed {
			return []counter{c}
		}
	case grab:
		c.began |= one
		next = []counter{c}
		if free {
			c.held++
			c.limbo |= one
			next = append(next, c)
		}
	case drop:
		if c.began&one == 0 {
			return nil
		}
		if c.limbo&one != 0 {
			c.held--
			c.limbo &^= one
		}
		c.began &^= one
		return []counter{c}
	}
	return next
}

// model is a counter of the given capacity for the checker.
func model(capacity int) porcupine.Model {
	return (&porcupine.NondeterministicModel{
		Init: func() []any { return []any{counter{capacity: capacity}} },
		Step: func(state, input, _ any) (next []any) {
			for _, c := range state.(counter).ask(input.(question)) {
				next = append(next, c)
			}
			return next
		},
		Equal:             func(a, b any) bool { return a == b },
		DescribeOperation: func(input, _ any) string { return input.(question).String() },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}).ToModel()
}
