// Package atomic stands for sync/atomic, as far as fairshare uses it, where
// goroutines take turns.
package atomic

import "github.com/fairpool/fairpool/fairshare/verify/interleave/turns"

// A value is an atomic variable.
type value[T comparable] struct{ v T }

func (a *value[T]) Load() T {
	turns.Point("loads")
	return a.v
}

func (a *value[T]) Store(v T) {
	turns.Point("stores")
	a.v = v
}

// LoadAtOnce is Load together with the step before.
func (a *value[T]) LoadAtOnce() T { return a.v }

// StoreAtOnce is Store together with the step before.
func (a *value[T]) StoreAtOnce(v T) { a.v = v }

func (a *value[T]) Swap(v T) T {
	turns.Point("swaps")
	old := a.v
	a.v = v
	return old
}

func (a *value[T]) CompareAndSwap(old, v T) bool {
	turns.Point("compares and swaps")
	if a.v != old {
		return false
	}
	a.v = v
	return true
}

type (
	// A Bool is an atomic.Bool.
	Bool struct{ value[bool] }
	// A Uint64 is an atomic.Uint64.
	Uint64 struct{ value[uint64] }
	// A Pointer is an atomic.Pointer.
	Pointer[T any] struct{ value[*T] }
)

// Add adds delta and returns the sum.
func (a *Uint64) Add(delta uint64) uint64 {
	turns.Point("adds")
	a.v += delta
	return a.v
}
