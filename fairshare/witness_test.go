package fairshare_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// A diary is a Witness that writes down what it is told.
type diary struct {
	entries []string
	waits   func() // what Waits does besides, nil for nothing
}

func (d *diary) Waits(ctx context.Context, tenant string) context.Context {
	d.entries = append(d.entries, tenant+" waits")
	if d.waits != nil {
		d.waits()
	}
	return ctx
}

func (d *diary) Waited(_ context.Context, tenant string, took time.Duration, g fairshare.Grant, err error) {
	d.entries = append(d.entries, fmt.Sprintf("%s waited %v, granted %v, failed %v", tenant, took, g.Slot() != nil, err != nil))
}

func TestAWitnessIsToldOfWhatIsNotServedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLine(t, slots(1), 2)
		d := &diary{}
		s.line.Witness(d)
		g := s.acquire(t, "a")
		require.Empty(t, d.entries)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		_, err := s.line.Acquire(ctx, "b")
		require.Error(t, err)
		_, err = s.line.Acquire(ctx, "c")
		require.Error(t, err)
		waiting := s.begin(background, "d")
		time.Sleep(time.Minute)
		r := s.retry(background, "a", g, s.line.Now())
		require.True(t, r.over())
		r = s.retry(background, "a", r.grant, s.line.Now())
		require.False(t, r.over())
		s.locked(func(l *fairshare.Line) { l.PutLocked(&fairshare.Slot{}) })
		require.True(t, r.over())
		r.grant.Release()
		(<-waiting).Release()
		require.Equal(t, []string{
			"b waits", "b waited 1s, granted false, failed true",
			"c waits", "c waited 0s, granted false, failed true",
			"d waits",
			"a waits", "a waited 0s, granted true, failed false",
			"d waited 1m0s, granted true, failed false",
		}, d.entries)
		s.locked(func(l *fairshare.Line) {
			l.CloseLocked()
			require.Zero(t, l.StatsLocked().InUse)
		})
		r = s.retry(background, "e", fairshare.Grant{}, s.line.Now())
		require.ErrorIs(t, r.err, fairshare.ErrClosed)
		require.Equal(t, []string{"e waits", "e waited 0s, granted false, failed true"}, d.entries[8:])
	})
}

// Invariants 3 and 7: a witness that panics has its caller leave the queue, or
// pass on the slot that it was granted meanwhile.
func TestAPanicOfAWitnessLosesNoSlot(t *testing.T) {
	for _, granted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newStock(t, 1, 1)
			d := &diary{}
			s.line.Witness(d)
			g := s.acquire(t, "a")
			d.waits = func() {
				d.waits = nil
				if granted {
					g.Release()
				}
				panic("the witness broke")
			}
			require.PanicsWithValue(t, "the witness broke", func() { _, _ = s.line.Acquire(background, "b") })
			next := s.begin(background, "c")
			g.Release()
			(<-next).Release()
			s.locked(func(l *fairshare.Line) {
				require.Zero(t, l.StatsLocked().InUse)
				require.Zero(t, l.StatsLocked().Waiting)
				require.Equal(t, 1, l.ReadyLocked())
			})
		})
	}
}
