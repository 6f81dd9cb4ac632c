package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each way to watch collects at least once in a round, and what watches each
// Acquire is told of all of them.
func TestWhoWatchesDoesCollect(t *testing.T) {
	for _, w := range watches() {
		opened, err := w.open(func(l lender) load {
			ctx, cancel := cancellable.new()
			return &alone{l, ctx, cancel, 100}
		})
		require.NoError(t, err, w.name)
		l := opened.(*watched)
		collected := 0
		for range w.attach {
			l.collects = append(l.collects, func() { collected++ })
		}
		before := l.pool.Stats().Acquired
		s, err := l.Round()
		require.NoError(t, err, w.name)
		require.Equal(t, 100, s.ops)
		require.EqualValues(t, 100, l.pool.Stats().Acquired-before)
		require.GreaterOrEqual(t, collected, len(w.attach), w.name)
		require.Equal(t, w.each, l.toldOfEach(), w.name)
		l.Close()
	}
}

// toldOfEach reports whether somebody is told of each Acquire or Release.
func (w *watched) toldOfEach() bool {
	for _, t := range w.traces {
		if t.AcquireStart != nil || t.AcquireDone != nil || t.Release != nil {
			return true
		}
	}
	return false
}
