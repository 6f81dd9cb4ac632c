package fairshare_test

import (
	"testing"
	"testing/synctest"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// meanwhile is a Watcher that has something happen while a return is read from
// the inbox.
type meanwhile struct {
	line  *fairshare.Line
	event func()
	inUse []int // at each grant, without it
}

func (m *meanwhile) Taken(*fairshare.Slot) { m.inUse = append(m.inUse, m.line.StatsLocked().InUse) }

func (m *meanwhile) Returned(s *fairshare.Slot) {
	if event := m.event; event != nil {
		m.event = nil
		event()
	}
	m.line.ReleaseLocked(s)
	m.line.PutLocked(s)
}

// Else a TryAcquire could be refused although a slot is free: somebody who has
// returned one and asked for another would count for two.
func TestWhoAsksAgainNoLongerHoldsWhatItReturnedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 3, 3)
		m := &meanwhile{line: s.line}
		s.locked(func(l *fairshare.Line) { l.WatchLocked(m) })
		a, b, c := s.acquire(t, "a"), s.acquire(t, "b"), s.acquire(t, "c")
		waiting := s.begin(background, "d")
		var again <-chan fairshare.Grant
		m.event = func() {
			a.Release()
			again = s.begin(background, "a")
		}
		s.locked(func(*fairshare.Line) { // so that both are left in the inbox
			b.Release()
			c.Release()
		})
		d, a := <-waiting, <-again
		require.Equal(t, 1, m.inUse[len(m.inUse)-1], "what d has")
		d.Release()
		a.Release()
		s.locked(func(l *fairshare.Line) { require.Zero(t, l.StatsLocked().InUse) })
	})
}
