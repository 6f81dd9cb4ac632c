package fairshare_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func strict(capacity int) fairshare.Config {
	return fairshare.Config{Capacity: capacity, ShareFunc: fairshare.EqualShare}
}

// The share table of aio-fairshare.
var shareTable = []struct{ tenants, share int }{{1, 10}, {2, 5}, {3, 3}, {5, 2}, {10, 1}}

func TestStrictSharesOfJoinedTenantsAreExact(t *testing.T) {
	for _, row := range shareTable {
		t.Run(fmt.Sprint(row.tenants), func(t *testing.T) {
			s := newSemaphore(t, strict(10))
			for i := range row.tenants {
				defer s.Join(fmt.Sprint(i)).Leave()
			}
			// All the others hold nothing, and still have their share.
			permits := takeAll(s, "0")
			require.Len(t, permits, row.share)
			require.Equal(t, row.share, tenant(s, "0").Cap)

			for i := 1; i < row.tenants; i++ {
				more := takeAll(s, fmt.Sprint(i))
				require.Len(t, more, row.share)
				permits = append(permits, more...)
			}
			releaseAll(permits)
		})
	}
}

func TestStrictSharesOfHoldersAreExact(t *testing.T) {
	for _, row := range shareTable {
		t.Run(fmt.Sprint(row.tenants), func(t *testing.T) {
			s := newSemaphore(t, strict(10))
			var permits []fairshare.Permit
			for i := range row.tenants { // one each, which makes them all active
				permits = append(permits, acquire(t, s, fmt.Sprint(i)))
			}
			for i := range row.tenants {
				more := takeAll(s, fmt.Sprint(i))
				require.Len(t, more, row.share-1)
				permits = append(permits, more...)
			}
			releaseAll(permits)
		})
	}
}

// Each way in which the number of tenants falls, or the capacity grows, wakes
// those who may have more then.
func TestAStrictShareGrowsBack(t *testing.T) {
	for name, grow := range map[string]func(*fairshare.Semaphore, *fairshare.Tenant, fairshare.Permit){
		"leave":   func(_ *fairshare.Semaphore, other *fairshare.Tenant, _ fairshare.Permit) { other.Leave() },
		"release": func(_ *fairshare.Semaphore, _ *fairshare.Tenant, p fairshare.Permit) { p.Release() },
		"resize":  func(s *fairshare.Semaphore, _ *fairshare.Tenant, _ fairshare.Permit) { _ = s.Resize(15) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSemaphore(t, strict(10))
				other := s.Join("joined") // holds nothing
				held := acquire(t, s, "holder")
				permits := takeAll(s, "a")
				require.Len(t, permits, 3, "three tenants")
				var waiting []*pending
				for range 3 {
					waiting = append(waiting, begin(background, s, "a"))
				}
				require.False(t, waiting[0].over())

				grow(s, other, held)
				require.True(t, waiting[0].over())
				require.True(t, waiting[1].over())
				require.False(t, waiting[2].over(), "five each, and no more")
				require.Equal(t, 5, tenant(s, "a").Held)

				other.Leave()
				held.Release()
				for _, w := range waiting {
					permits = append(permits, w.granted(t))
				}
				releaseAll(permits)
			})
		})
	}
}

// A share that has become smaller takes nothing away.
func TestAStrictShareShrinksAsSlotsReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, strict(10))
		permits := takeAll(s, "a")
		require.Len(t, permits, 10)
		newcomer := begin(background, s, "b")
		again := begin(background, s, "a")
		require.Equal(t, 5, tenant(s, "a").Cap)
		require.Equal(t, 10, tenant(s, "a").Held)

		permits[0].Release()
		fresh := newcomer.granted(t)
		for _, p := range permits[1:5] {
			p.Release()
			require.False(t, again.over(), "a holds its five, or more")
		}
		permits[5].Release()
		again.granted(t).Release()
		fresh.Release()
		releaseAll(permits[6:])
	})
}

func TestAStrictShareScalesWithTheWeight(t *testing.T) {
	for _, row := range []struct {
		weight float64
		share  int
	}{
		{1, 50}, {2, 100}, {0.5, 25}, {0.29, 14}, {0.58, 29}, {0.001, 1}, {1.5, 75}, {100, 100},
	} {
		t.Run(fmt.Sprint(row.weight), func(t *testing.T) {
			cfg := strict(100)
			cfg.Tenants = map[string]fairshare.Share{"a": {Weight: row.weight}}
			s := newSemaphore(t, cfg)
			defer s.Join("b").Leave()
			permits := takeAll(s, "a")
			require.Len(t, permits, row.share)
			releaseAll(permits)
		})
	}
}

func TestMaxBoundsAStrictShareToo(t *testing.T) {
	cfg := strict(10)
	cfg.Default.Max = 2
	s := newSemaphore(t, cfg)
	permits := takeAll(s, "a")
	require.Len(t, permits, 2)
	releaseAll(permits)
}

func TestAShareFuncMayReturnAnything(t *testing.T) {
	for name, c := range map[string]struct {
		answer, minShare, share int
	}{
		"zero":                   {0, 0, 1},
		"negative":               {-7, 0, 1},
		"the least number":       {math.MinInt, 0, 1},
		"huge":                   {math.MaxInt, 0, 10},
		"zero with a MinShare":   {0, 3, 3},
		"less than the MinShare": {2, 3, 3},
		"more than the MinShare": {4, 3, 4},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := fairshare.Config{Capacity: 10, MinShare: c.minShare, ShareFunc: func(int, int) int { return c.answer }}
			s := newSemaphore(t, cfg)
			permits := takeAll(s, "a")
			require.Len(t, permits, c.share)
			releaseAll(permits)
		})
	}
}

func TestAShareFuncThatPanicsAtOnceIsAMistake(t *testing.T) {
	s, err := fairshare.NewSemaphore(fairshare.Config{
		Capacity: 10, ShareFunc: func(capacity, tenants int) int { panic("no idea") },
	})
	require.Nil(t, s)
	require.ErrorContains(t, err, "ShareFunc(10, 1) panicked: no idea")
	requirePanic(t, err, "strict_test.go:")
}

func TestAShareFuncThatPanicsLaterCountsAsTheLeastAndShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fairshare.Config{Capacity: 10, MinShare: 2, ShareFunc: func(capacity, tenants int) int {
			if tenants == 2 {
				panic("two of them")
			}
			return capacity / tenants
		}}
		s := newSemaphore(t, cfg)
		require.NoError(t, s.Stats().ShareFuncErr)
		b := s.Join("b")
		require.NoError(t, s.Stats().ShareFuncErr)
		first := acquire(t, s, "a") // the goroutine that makes it panic gets its slot all the same

		err := s.Stats().ShareFuncErr
		require.ErrorContains(t, err, "ShareFunc(10, 2) panicked: two of them")
		requirePanic(t, err, "strict_test.go:")
		permits := append(takeAll(s, "a"), first)
		require.Len(t, permits, 2, "the MinShare")

		waiting := begin(background, s, "a")
		require.False(t, waiting.over())
		b.Leave()
		require.True(t, waiting.over(), "a panic loses no waiter")
		require.NoError(t, s.Stats().ShareFuncErr, "the last call returned")
		require.Equal(t, 10, tenant(s, "a").Cap)
		releaseAll(append(permits, waiting.granted(t)))
	})
}

// Invariant 9.
func TestShareFuncMayCallTheSemaphore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *fairshare.Semaphore
		calls := 0
		cfg := fairshare.Config{Capacity: 10, ShareFunc: func(capacity, tenants int) int {
			if calls++; calls > 100 {
				panic("ShareFunc calls itself without an end")
			}
			if s != nil {
				s.Stats()
				for range s.Tenants() {
					break
				}
				if p, ok := s.TryAcquire("somebody who is there"); ok {
					p.Release()
				}
			}
			return capacity / tenants
		}}
		s = newSemaphore(t, cfg)
		there := s.Join("somebody who is there")
		a := s.Join("a")
		permits := takeAll(s, "a")
		require.Len(t, permits, 5)
		require.NoError(t, s.Stats().ShareFuncErr)
		require.LessOrEqual(t, calls, 10)
		releaseAll(permits)
		a.Leave()
		there.Leave()
	})
}

// It runs when the capacity or the number of tenants changes, not with every
// request.
func TestShareFuncIsAskedAfterAChangeOnly(t *testing.T) {
	calls := 0
	s := newSemaphore(t, fairshare.Config{Capacity: 10, ShareFunc: func(capacity, tenants int) int {
		calls++
		return capacity / tenants
	}})
	a, b := s.Join("a"), s.Join("b")
	before := calls
	for range 100 {
		acquire(t, s, "a").Release()
	}
	require.Equal(t, before, calls)
	require.NoError(t, s.Resize(20))
	require.Equal(t, before+1, calls)
	b.Leave()
	require.Equal(t, before+2, calls)
	a.Leave()
}

func TestAShareFuncThatEndsItsGoroutineStopsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exit := false
		s := newSemaphore(t, fairshare.Config{Capacity: 10, ShareFunc: func(capacity, tenants int) int {
			if exit {
				exit = false
				runtime.Goexit()
			}
			return capacity / tenants
		}})
		a, b, c := s.Join("a"), s.Join("b"), s.Join("c")
		exit = true
		go c.Leave()
		synctest.Wait()
		permits := takeAll(s, "a")
		require.Len(t, permits, 1, "the least")
		releaseAll(permits)

		b.Leave()
		permits = takeAll(s, "a")
		require.Len(t, permits, 10, "the next change is asked about as ever")
		releaseAll(permits)
		a.Leave()
	})
}
