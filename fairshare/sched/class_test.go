package sched

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A class yields its tenants by offset, then by the age of the first waiter,
// after any mix of entering, leaving and moving.
func TestClassYieldsTenantsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "") }
		c := &class{}
		var all []*Tenant
		head := uint64(0)
		fresh := func(in *Tenant) entry {
			head++
			return entry{float64(draw(10)), head, in} // few offsets: many ties
		}
		for range draw(100) {
			switch n := draw(4); {
			case n < 2 || len(all) == 0:
				in := &Tenant{}
				all = append(all, in)
				c.push(fresh(in))
			case n == 2:
				i := draw(len(all))
				c.remove(int(all[i].pos))
				all = slices.Delete(all, i, i+1)
			default:
				in := all[draw(len(all))]
				c.fix(int(in.pos), fresh(in))
			}
			require.Len(t, c.heap, len(all))
		}
		for last := (entry{}); len(c.heap) > 0; {
			top := c.heap[0]
			require.False(t, top.before(last))
			require.Zero(t, top.tenant.pos)
			last = top
			c.remove(0)
		}
		for _, e := range c.heap[:cap(c.heap)] {
			require.Nil(t, e.tenant, "a tenant kept alive")
		}
	})
}

// A class that a crowd has made large is not kept for reuse, and of the small
// ones no more than a few are.
func TestEmptyClassesAreBounded(t *testing.T) {
	s := New(Config{Capacity: 1000, Default: Share{Weight: 1}})
	for i := range 1000 {
		in := s.Tenant(1, fmt.Sprint(i))
		for range i % 50 {
			s.Grant(1, in) // a class for each number of slots held
		}
	}
	var waiters []*Waiter
	for in := range s.Tenants() {
		for range 3 {
			w := &Waiter{}
			s.Enqueue(1, in, w)
			waiters = append(waiters, w)
		}
	}
	require.Len(t, s.classes, 50)
	for _, w := range waiters {
		s.Cancel(1, w)
	}
	require.Empty(t, s.classes)
	require.LessOrEqual(t, len(s.empty), maxEmptyClasses)
	requireBooks(t, s)
}

// One cycle is a release, the grant of the slot to the next of n backlogged
// tenants, and a new waiter of the tenant that released.
func BenchmarkPick(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			const slots = 8
			s := New(Config{Capacity: slots, Default: Share{Weight: 1}})
			now := time.Duration(1)
			waiters := make([]Waiter, n+slots)
			order := rand.New(rand.NewPCG(1, 0)).Perm(len(waiters))
			for _, i := range order {
				s.Enqueue(now, s.Tenant(now, fmt.Sprint("tenant-", i)), &waiters[i])
			}
			type held struct {
				w     *Waiter
				since time.Duration
			}
			var holds [slots]held
			for i := range holds {
				holds[i] = held{s.Next(now), now}
			}
			cycle := func(i int) {
				now += time.Duration(100+i*7919%64) * time.Microsecond
				h := &holds[i%slots]
				t := h.w.Tenant()
				s.Release(now, t, h.since)
				granted := held{s.Next(now), now}
				s.Enqueue(now, t, h.w)
				*h = granted
			}
			i := 0
			for range max(1000, n) { // until each has had its turn, or all would tie
				cycle(i)
				i++
			}
			b.ReportAllocs()
			for b.Loop() {
				cycle(i)
				i++
			}
			require.Equal(b, n, s.Waiting())
		})
	}
}

// With one slot, every grant and release empties one class and opens another.
func TestClassesThatComeAndGoCostNoMemory(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	a := s.Tenant(1, "a")
	waiters := [2]Waiter{}
	s.Enqueue(1, a, &waiters[0])
	s.Enqueue(1, a, &waiters[1])
	now := time.Duration(1)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		now++
		w := s.Next(now)
		s.Release(now, a, now)
		s.Enqueue(now, a, w)
	}))
}
