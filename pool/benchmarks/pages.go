package main

import (
	"fmt"
	"io"
	"time"
)

// A page is a file of tables, of all that was measured of something.
type page struct {
	file   string
	title  string
	about  string
	trials []trial
	show   func(io.Writer, []result)
}

func (s scale) pages() []page {
	return []page{
		{"peers.md", "fairpool beside its peers", aboutPeers, s.trials(), showSides},
		{"handoff.md", "From a release to the next holder", aboutHandoffs, s.handoffs(), showLatencies},
		{"scheduler.md", "What a pick costs", aboutPicks, s.backlogs(), showSides},
		{"options.md", "What the options of a pool cost", aboutOptions, s.optionTrials(), showOptions},
		{"watching.md", "What it costs to be watched", aboutWatching, s.watching(), showWatches},
	}
}

const aboutPeers = `Every lender here does the same: it lends a slot to each of the goroutines and
takes it back, and a goroutine does nothing with it. What differs is said in the
second column: a resource or only a permit, and who is next. Those where it is
"who comes by" let a goroutine that has just released a slot have it again, before
those who wait: few of its cycles wait at all, so they are cheap, and the column
"never served" has the part of the goroutines that asked in vain for the whole
round. With a lender that is fair, that is where the machine is busy: a tenant
pays for the time for which a goroutine of its own held a slot and did not run,
and rounds are short. Only the two of this module know tenants; the others are
measured once, whatever their number.

Where another is faster, it does less. A semaphore, a channel and a bulkhead keep
count of slots, and that is all: one atomic instruction or a short lock, about 25
ns for a cycle. Of the 850 instructions of fairpool's cycle (counted by callgrind),
150 take and leave the lock, 35 find the tenant by its name, 170 keep its books
and decide that nobody comes before it, 100 look at the context, and the rest
hands out a lease that cannot be released twice. To come down to a semaphore it
would have to forget who holds what; a tenant that has joined is spared the 35.

A figure is the median of the rounds, in brackets the quartiles; a ratio is the
median of those of each round. A ratio above 1 is a loss for fairpool. The time
is that of all goroutines together for each cycle.
`

const aboutHandoffs = `One slot goes from hand to hand, while the others are blocked waiting for it. A
latency lasts from just before the release until the next holder runs with the
slot in its hands: the release itself, the choice of the next, and the runtime's
waking it. Rounds are put together in a histogram of three digits; the ratios, of
fairpool's quantile to the peer's, are medians over the rounds, with quartiles.
`

const aboutPicks = `The bare scheduler, of package sched, with a waiter of each tenant in its queue and
eight slots in use. One operation releases a slot, puts its holder back in the
queue, and picks who is next. Much of the growth is that of cache misses.
`

const aboutOptions = `What one option of a pool.Config adds to the cycle of a goroutine that nobody
disturbs, with eight warm resources and a cancellable context: to Acquire and
Release, and to Do with a function that does nothing. Functions given to the pool
do nothing either; each call of one, but for those of the Trace, runs in a goroutine
of its own, which is most of what it costs. A Reset is off the caller's path, but
takes a processor.
Differences are those of the same round; the figure is their median, in brackets
their quartiles. Options do not add up: several that need to know the time read
the clock once.
`

// handoffs are with one waiter, with many, and with a releaser that does not
// make way.
func (s scale) handoffs() (all []trial) {
	const busy = 20 * time.Microsecond
	for _, c := range []struct {
		name, title string
		goroutines  int
		tenants     int
		busy        time.Duration
		short       string // in the main table, "": not there
	}{
		{"waiters=1", "1 waiter", 2, 2, 0, ""},
		{"waiters=63", "63 waiters of 16 tenants", 64, 16, 0, "hand-off to one of 63 waiters"},
		{"waiters=63/busy", fmt.Sprintf("63 waiters of 16 tenants, the releaser works on for %v", busy), 64, 16, busy, ""},
	} {
		t := trial{
			name:  "handoff/" + c.name,
			title: c.title,
			unit:  "ns",
			sides: sidesOf(allPeers, func(p peer) (load, error) {
				return openHandoff(p, c.goroutines, c.tenants, s.hops, c.busy)
			}),
			ours: []string{fairpoolPeer.name},
		}
		if c.short != "" {
			for _, q := range quantiles {
				r := beside(fmt.Sprintf("pool: %s, %s", c.short, q.name), target{})
				r.value = quantileOf(q.at)
				t.rows = append(t.rows, r)
			}
		}
		all = append(all, t)
	}
	return all
}

// backlogs are picks of the scheduler, from 10 backlogged tenants to very many.
func (s scale) backlogs() []trial {
	t := trial{
		name:  "pick",
		title: "release, enqueue, pick",
		unit:  "ns",
		ours:  []string{backlog(s.backlog)},
		most:  5,
	}
	for n := 10; n <= s.backlog; n *= 10 {
		t.sides = append(t.sides, side{name: backlog(n), open: func() (load, error) { return openPick(slots, n, s.picks) }})
	}
	t.rows = []row{{
		title: fmt.Sprintf("scheduler: %s; %s", t.title, backlog(s.backlog)),
		base:  backlog(1000), ours: backlog(s.backlog), target: ratioBelow(3),
	}}
	return []trial{t}
}

func backlog(tenants int) string { return thousands(tenants) + " backlogged tenants" }
