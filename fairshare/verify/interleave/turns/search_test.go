package turns

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// With interruptions enough, every order comes up, and once: two goroutines
// of three steps each may go in 20 orders, three of two in 90.
func TestEveryOrderComesUpOnce(t *testing.T) {
	for _, c := range []struct{ goroutines, steps, bound, orders int }{
		{2, 3, 10, 20}, {3, 2, 10, 90}, {1, 5, 10, 1}, {2, 3, 0, 2}, {2, 2, 1, 4},
	} {
		seen := make(map[string]bool)
		o := Explore(c.bound, func() func() string {
			var order []byte
			for i := range c.goroutines {
				Go("", func() {
					for n := range c.steps {
						if n > 0 {
							Point("")
						}
						order = append(order, 'a'+byte(i))
					}
				})
			}
			return func() string {
				seen[string(order)] = true
				return ""
			}
		})
		require.Empty(t, o.Wrong)
		require.Len(t, seen, c.orders, "%+v", c)
		require.Equal(t, c.orders, o.Runs, "%+v", c)
	}
}

func TestWhoeverWaitsForEverIsFound(t *testing.T) {
	o := Explore(0, func() func() string {
		Go("waiter", NewSignal().Receive)
		return func() string { return "" }
	})
	require.Equal(t, "dead-lock: waiter for ever receives", o.Wrong)
	require.Len(t, o.Trace, 1)
}

func TestAProgramThatIsNotTheSameEachTimeIsFound(t *testing.T) {
	runs := 0
	o := Explore(1, func() func() string {
		runs++
		for range min(runs, 2) + 1 {
			Go("", func() { Point("") })
		}
		return func() string { return "" }
	})
	require.Contains(t, o.Wrong, "not the same each time")
}

func TestWhoeverGoesOnForEverIsFound(t *testing.T) {
	o := Explore(0, func() func() string {
		Go("walker", func() {
			for {
				Point("walks")
			}
		})
		return func() string { return "" }
	})
	require.Equal(t, "live-lock: after 10000 turns, walker still walks", o.Wrong)
	require.Len(t, o.Trace, longEnough)
}

// orders lists those in which a and b, two steps each, and a timer may go.
func orders(bound int, stop bool) (all []string) {
	o := ExploreNarrowly(bound, func() func() string {
		order := ""
		timer := AfterFunc(0, func() { order += "t" })
		for _, name := range []string{"a", "b"} {
			Go(name, func() {
				order += name
				Point("")
				order += name
				if stop && name == "b" {
					timer.Stop()
				}
			})
		}
		return func() string {
			all = append(all, order)
			return ""
		}
	})
	if o.Wrong != "" {
		panic(o.Wrong)
	}
	return all
}

func TestANarrowSearchCountsEveryChoice(t *testing.T) {
	require.Equal(t, []string{"aabbt"}, orders(0, false))
	require.ElementsMatch(t, []string{"aabbt", "bbaat", "taabb", "abbat", "atabb", "aatbb", "aabtb"}, orders(1, false))
}

func TestATimerThatIsStoppedDoesNotRunOut(t *testing.T) {
	require.Equal(t, []string{"aabb"}, orders(0, true))
	require.Contains(t, orders(1, true), "aabtb")
	require.NotContains(t, orders(3, true), "aabbt")
}
