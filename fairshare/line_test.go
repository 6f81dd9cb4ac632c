package fairshare_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// A stock is a Supply that counts what it is asked for.
type stock struct {
	line  *fairshare.Line
	left  int // of the things that it can still make
	made  int
	short int
	fails error
}

func (s *stock) New() *fairshare.Slot {
	if s.left == 0 {
		return nil
	}
	s.left--
	s.made++
	return &fairshare.Slot{Owner: s.made}
}

func (s *stock) Short(fairshare.Request)            { s.short++ }
func (s *stock) Lacking() (fairshare.Reason, error) { return "sold out", s.fails }

func newStock(t *testing.T, capacity, left int) *stock {
	s := &stock{left: left}
	line, err := fairshare.NewLine(slots(capacity), s)
	require.NoError(t, err)
	s.line = line
	return s
}

func (s *stock) begin(ctx context.Context, tenant string) <-chan fairshare.Grant {
	granted := make(chan fairshare.Grant, 1)
	go func() {
		g, _ := s.line.Acquire(ctx, tenant)
		granted <- g
	}()
	synctest.Wait()
	return granted
}

func (s *stock) resize(capacity int) {
	s.line.Lock()
	s.line.ResizeLocked(capacity)
	s.line.Unlock()
}

// Invariant 1, for whoever builds on a Line.
func TestASupplyIsNotAskedForMoreSlotsThanTheCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 1, 10)
		g, err := s.line.Acquire(background, "a")
		require.NoError(t, err)
		var waiting []<-chan fairshare.Grant
		for range 4 {
			waiting = append(waiting, s.begin(background, "b"))
		}
		require.NoError(t, s.line.SetShare("b", fairshare.Share{Weight: 2}))
		require.Equal(t, 1, s.made)
		s.resize(3)
		require.Equal(t, 3, s.made)

		g.Release()
		for range waiting {
			synctest.Wait()
			for _, w := range waiting {
				select {
				case g := <-w:
					g.Release()
				default:
				}
			}
		}
		require.Equal(t, 3, s.made)
	})
}

func TestASupplyThatRunsShortIsToldAndExplainsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 5, 1)
		s.fails = errors.New("the mill is on fire")
		g, err := s.line.Acquire(background, "a")
		require.NoError(t, err)
		require.Zero(t, s.short)

		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		_, err = s.line.Acquire(ctx, "b")
		require.Equal(t, 1, s.short)
		require.ErrorIs(t, err, s.fails)
		var e *fairshare.AcquireError
		require.ErrorAs(t, err, &e)
		require.EqualValues(t, "sold out", e.Reason)

		// What the supply puts goes to whoever waits.
		waiting := s.begin(background, "b")
		s.line.Lock()
		s.line.PutLocked(&fairshare.Slot{Owner: "found in the attic"})
		s.line.Unlock()
		found := <-waiting
		require.Equal(t, "found in the attic", found.Slot().Owner)
		require.Equal(t, "b", found.Tenant())
		found.Release()
		g.Release()
	})
}

func TestASlotThatIsDroppedIsNotHandedOutAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock(t, 3, 3)
		first, err := s.line.Acquire(background, "a")
		require.NoError(t, err)
		second, err := s.line.Acquire(background, "b")
		require.NoError(t, err)
		dropped := first.Slot()
		first.Release()
		second.Release()

		s.line.Lock()
		require.Same(t, dropped, s.line.OldestReadyLocked())
		s.line.DropLocked(dropped)
		s.line.DropLocked(dropped) // once is enough, and twice is harmless
		require.Equal(t, 1, s.line.ReadyLocked())
		s.line.Unlock()

		var all []fairshare.Grant
		for range 2 {
			g, err := s.line.Acquire(background, "a") // would prefer its own
			require.NoError(t, err)
			require.NotSame(t, dropped, g.Slot())
			all = append(all, g)
		}
		require.Equal(t, 3, s.made)
		for _, g := range all {
			g.Release()
		}
	})
}

// Invariant 8, as the adapters see it.
func TestAFinishedGrantIsNothing(t *testing.T) {
	s := newStock(t, 1, 1)
	g, err := s.line.Acquire(background, "a")
	require.NoError(t, err)
	require.Equal(t, "a", g.Tenant())
	slot := g.Slot()
	require.NotNil(t, slot)
	require.Same(t, slot, g.Finish())
	require.Nil(t, g.Finish())
	require.Nil(t, g.Slot())
	require.Empty(t, g.Tenant())
	g.Release() // does nothing: who finished it gives it back
	s.line.Lock()
	require.Equal(t, 1, s.line.StatsLocked().InUse)
	s.line.ReleaseLocked(slot)
	s.line.PutLocked(slot)
	require.Zero(t, s.line.StatsLocked().InUse)
	s.line.Unlock()

	var none fairshare.Grant
	require.Nil(t, none.Slot())
	require.Nil(t, none.Finish())
	require.Empty(t, none.Tenant())
	none.Release()
}
