package leaders_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const stay = 10 * time.Minute

func TestThoseThatUseMostHaveRowsOfTheirOwn(t *testing.T) {
	c := crowd{}
	for i := range 9 {
		c.does(fmt.Sprint("t", i), i, 0, 1)
	}
	rows := leaders.NewBoard(3, stay).Rows(start, c.tenants)
	require.Equal(t, []string{"t6", "t7", "t8", "other"}, labels(rows))
	require.Equal(t, 6, rows[3].Tenants)
	require.Equal(t, 0+1+2+3+4+5, rows[3].Held)
}

func TestWaitingCountsAsUse(t *testing.T) {
	c := crowd{}
	c.does("holds", 3, 0, 3)
	c.does("starves", 0, 4, 0)
	require.Equal(t, []string{"starves", "other"}, labels(leaders.NewBoard(1, stay).Rows(start, c.tenants)))
}

func TestARowOfOthersIsThereFromTheStart(t *testing.T) {
	require.Equal(t, []string{"other"}, labels(leaders.NewBoard(3, stay).Rows(start, crowd{}.tenants)))
}

func TestAFreeRowTakesTheCountsAlong(t *testing.T) {
	b, c := leaders.NewBoard(1, stay), crowd{}
	c.does("a", 1, 0, 5)
	require.Equal(t, map[string]uint64{"a": 5, "other": 0}, acquired(b.Rows(start, c.tenants)))
	c.does("b", 1, 0, 7)
	require.Equal(t, map[string]uint64{"a": 5, "other": 7}, acquired(b.Rows(start, c.tenants)))
}

// A place is lost only to a tenant that uses far more, and not before its time.
func TestARowIsKeptForAWhile(t *testing.T) {
	b, c := leaders.NewBoard(1, stay), crowd{}
	c.does("a", 2, 0, 1)
	b.Rows(start, c.tenants)
	c.does("b", 9, 0, 1)
	for at := time.Minute; at < stay; at += time.Minute {
		require.Equal(t, []string{"a", "other"}, labels(b.Rows(start.Add(at), c.tenants)), at)
	}
	require.Equal(t, []string{"b", "other"}, labels(b.Rows(start.Add(stay), c.tenants)))
	c.does("a", 15, 0, 1) // more, but not far more
	for at := stay; at < 4*stay; at += time.Minute {
		require.Equal(t, []string{"b", "other"}, labels(b.Rows(start.Add(at), c.tenants)), at)
	}
}

// The bound on how many series there ever are: whatever the tenants do, each
// row changes hands once in the time to stay at most.
func TestTheNumberOfRowsThatEverComeToBeIsBounded(t *testing.T) {
	const top, hours = 5, 12
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b := leaders.NewBoard(top, stay)
	ever := map[string]bool{}
	c, changes, before := crowd{}, 0, map[string]bool{}
	for at := start; at.Before(start.Add(hours * time.Hour)); at = at.Add(15 * time.Second) {
		clear(c)
		for range 50 {
			c.does(fmt.Sprint("tenant-", random.IntN(1000)), random.IntN(100), random.IntN(100), 1)
		}
		now := map[string]bool{}
		for _, label := range labels(b.Rows(at, c.tenants)) {
			ever[label], now[label] = true, true
			if !before[label] {
				changes++
			}
		}
		before = now
	}
	require.LessOrEqual(t, changes, 1+top*(1+hours*6))
	require.Greater(t, len(ever), 2*top, "rows do change hands")
}

func TestTheCountsOfARowGoOnWhenItsTenantGetsItBack(t *testing.T) {
	b, c := leaders.NewBoard(1, 0), crowd{}
	at := start
	turn := func(name string, n uint64) map[string]uint64 {
		for other := range c {
			c.does(other, 0, 0, 0)
		}
		c.does(name, 8, 0, n)
		at = at.Add(time.Hour)
		return acquired(b.Rows(at, c.tenants))
	}
	require.Equal(t, map[string]uint64{"a": 3, "other": 0}, turn("a", 3))
	require.Equal(t, map[string]uint64{"b": 0, "other": 4}, turn("b", 4))
	require.Equal(t, map[string]uint64{"b": 5, "other": 4}, turn("b", 5))
	require.Equal(t, map[string]uint64{"a": 3, "other": 10}, turn("a", 6))
	require.Equal(t, map[string]uint64{"a": 10, "other": 10}, turn("a", 7))
	require.Equal(t, map[string]uint64{"b": 5, "other": 18}, turn("b", 8))
}

// The pool forgets tenants that left long ago, and then counts from 0 again.
func TestATenantThatWasForgottenKeepsItsRowAndItsCounts(t *testing.T) {
	b, c := leaders.NewBoard(1, stay), crowd{}
	c.does("a", 1, 0, 5)
	b.Rows(start, c.tenants)
	delete(c, "a")
	rows := b.Rows(start.Add(time.Minute), c.tenants)
	require.Equal(t, map[string]uint64{"a": 5, "other": 0}, acquired(rows))
	require.Zero(t, rows[0].Tenants)
	require.Zero(t, rows[0].Held)
	c.does("a", 1, 0, 9)
	require.Equal(t, map[string]uint64{"a": 14, "other": 0}, acquired(b.Rows(start.Add(2*time.Minute), c.tenants)))
	delete(c, "a") // and back between two looks
	c.does("a", 1, 0, 2)
	require.Equal(t, map[string]uint64{"a": 16, "other": 0}, acquired(b.Rows(start.Add(3*time.Minute), c.tenants)))
}

// Whoever has a row, whoever is forgotten and comes back: no count of any row
// ever falls, and all of them together are what was done.
func TestCountsNeverFallAndNothingIsCountedTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := leaders.NewBoard(rapid.IntRange(0, 4).Draw(t, "top"), rapid.SampledFrom([]time.Duration{0, time.Minute, stay}).Draw(t, "stay"))
		c, at := crowd{}, start
		var total, gone tally
		before := map[string]tally{}
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			delete(c, fmt.Sprint("t", rapid.IntRange(0, 30).Draw(t, "forgotten")))
			b.Rows(at, c.tenants)
			// The ones that are forgotten and have no row would begin again.
			for _, name := range slices.Sorted(maps.Keys(before)) {
				if _, known := c[name]; !known && !hasRow(b.Rows(at, c.tenants), name) && name != leaders.Others {
					b.Rows(at, c.tenants)
					gone.add(before[name])
					delete(before, name)
				}
			}
			for range rapid.IntRange(0, 8).Draw(t, "events") {
				name := fmt.Sprint("t", rapid.IntRange(0, 9).Draw(t, "tenant"))
				s := c[name]
				n := uint64(rapid.IntRange(0, 5).Draw(t, "n"))
				switch rapid.IntRange(0, 4).Draw(t, "what") {
				case 0:
					s.Acquired += n
					total.Acquired += n
				case 1:
					s.Rejected += n
					total.Rejected += n
				case 2:
					s.Canceled += n
					total.Canceled += n
				case 3:
					s.Service += time.Duration(n)
					total.Service += time.Duration(n)
				case 4:
					s.Held, s.Waiting = int(n), int(n)
				}
				c[name] = s
			}
			rows := b.Rows(at, c.tenants)
			sum := gone
			for _, r := range rows {
				was := before[r.Label]
				if r.Acquired < was.Acquired || r.Rejected < was.Rejected || r.Canceled < was.Canceled || r.Service < was.Service {
					t.Fatalf("%s fell from %+v to %+v", r.Label, was, r.Counts)
				}
				before[r.Label] = tally(r.Counts)
			}
			for _, counts := range before {
				sum.add(counts)
			}
			if sum != total {
				t.Fatalf("the rows that ever were say %+v, there was %+v", sum, total)
			}
			at = at.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "seconds")) * time.Second)
		}
	})
}

type tally leaders.Counts

func (c *tally) add(o tally) {
	c.Acquired += o.Acquired
	c.Rejected += o.Rejected
	c.Canceled += o.Canceled
	c.Service += o.Service
}

func hasRow(rows []leaders.Row, label string) bool {
	return slices.Contains(labels(rows), label)
}

func TestTheRowsOfARealSemaphoreAddUpWhileItIsUsed(t *testing.T) {
	const workers, rounds, tenants = 8, 300, 20
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 4})
	require.NoError(t, err)
	defer s.Close()
	b := leaders.NewBoard(3, 0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				p, err := s.Acquire(context.Background(), fmt.Sprint("t", (w*rounds+i)%tenants))
				if err != nil {
					t.Error(err)
					return
				}
				p.Release()
			}
		})
	}
	over := make(chan struct{})
	go func() { wg.Wait(); close(over) }()
	before := map[string]uint64{}
	look := func() (sum uint64) {
		for label, n := range acquired(b.Rows(time.Now(), s.Tenants)) {
			require.GreaterOrEqual(t, n, before[label], label)
			before[label] = n
		}
		for _, n := range before {
			sum += n
		}
		return sum
	}
	for open := true; open; {
		select {
		case <-over:
			open = false
		default:
			look()
		}
	}
	require.EqualValues(t, workers*rounds, look())
}

func TestWhatCannotBeSummedUpIsNotSaidOfOthers(t *testing.T) {
	c := crowd{
		"a": {Held: 1, Entitled: 1, Share: fairshare.Share{Weight: 2}, Debt: time.Second, Cap: 3},
		"b": {Waiting: 1, Entitled: 1.5, OldestWait: time.Minute, Share: fairshare.Share{Weight: 5}, Debt: time.Hour},
		"c": {Waiting: 2, Entitled: 1.5, OldestWait: time.Hour, Debt: -time.Hour},
	}
	c.does("a", 9, 0, 0)
	rows := leaders.NewBoard(1, stay).Rows(start, c.tenants)
	require.Equal(t, leaders.Row{
		Label: "a", Leads: true, Tenants: 1, Held: 9, Entitled: 1,
		Share: fairshare.Share{Weight: 2}, Debt: time.Second, Cap: 3,
	}, rows[0])
	require.Equal(t, leaders.Row{
		Label: "other", Tenants: 2, Waiting: 3, Entitled: 3, OldestWait: time.Hour, Starved: time.Hour,
	}, rows[1])
}

func TestStarvedIsWhoWaitsBelowItsShare(t *testing.T) {
	wait := fairshare.TenantStats{Waiting: 1, OldestWait: time.Minute}
	for _, tc := range []struct {
		held     int
		entitled float64
		waiting  int
		starved  bool
	}{
		{0, 2, 1, true},
		{0, 0.1, 1, true}, // many tenants, few slots: it is still none
		{0, 2, 0, false},
		{1, 2, 1, true},
		{1, 1.99, 1, false}, // a fraction of a slot is nobody's due
		{2, 2, 1, false},
		{2, math.Nextafter(3, 0), 1, true},
	} {
		s := wait
		s.Held, s.Entitled, s.Waiting = tc.held, tc.entitled, tc.waiting
		require.Equal(t, tc.starved, leaders.Starved(s) > 0, "%+v", tc)
	}
}

func BenchmarkRows(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := crowd{}
			for i := range n {
				c.does(fmt.Sprint("tenant-", i), i%5, i%7, 1)
			}
			board, at := leaders.NewBoard(20, stay), start
			for b.Loop() {
				at = at.Add(15 * time.Second)
				board.Rows(at, c.tenants)
			}
		})
	}
}
