package adversary

import (
	"cmp"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	effortFlag = flag.Float64("effort", 0.2, "how long to search: 1 is two to three minutes on two cores")
	writeFlag  = flag.Bool("write", false, "write results/adversary.md")
	seedFlag   = flag.Uint64("seed", 1, "of the search")
)

// A length is for how long a coalition plays, in virtual time and in events,
// whichever ends first.
type length struct {
	time   time.Duration
	events int
}

var (
	brief    = length{300 * time.Second, 20_000}
	medium   = length{1200 * time.Second, 80_000}
	thorough = length{4000 * time.Second, 300_000}
)

// A family is a set of knobs, the places in which they are turned, and what
// must not come of it.
type family struct {
	name    string
	turned  []knob
	places  []place
	sizes   []int // of the coalitions; nil: 1 and 3
	play    func(*testing.T, *family, candidate, uint64, length) outcome
	gain    float64 // the bound on outcome.gain; 0: none
	wait    float64 // the bound on outcome.wait; 0: none
	gains   string  // what outcome.gain is; "": slot-time over the share
	waits   string  // what outcome.wait is; "": the longest wait of a rival over the bound
	fresh   bool    // names are turned
	plans   bool    // an operator changes weights
	resizes bool    // an operator changes the capacity
	brief   length  // of a play in the search; zero: brief
	tries   int     // at effort 1; 0: 100
}

// An objective is what a search looks for.
type objective struct {
	name  string
	value func(outcome) float64
}

var objectives = []objective{
	{"gain", func(o outcome) float64 { return o.gain }},
	{"wait", func(o outcome) float64 { return o.wait }},
}

// A found is the best that a search found.
type found struct {
	candidate
	outcome
	value float64
	plays int
}

// search draws candidates and climbs from the best ones. What it returns has
// been played again, for longer and from another seed.
func (f *family) search(t *testing.T, size int, goal objective, effort float64) found {
	hash := fnv.New64a()
	fmt.Fprint(hash, f.name, size, goal.name)
	r := rand.New(rand.NewPCG(*seedFlag, hash.Sum64()))
	long, tries := f.brief, f.tries
	if long.time == 0 {
		long = brief
	}
	if tries == 0 {
		tries = 100
	}
	const kept = 6
	var best []found
	keep := func(b found) {
		best = append(best, b)
		slices.SortStableFunc(best, func(a, b found) int { return cmp.Compare(b.value, a.value) })
		best = best[:min(kept, len(best))]
	}
	plays := max(kept, int(effort*float64(tries)))
	for i := range plays {
		var c candidate
		if i < plays/2 || r.IntN(5) == 0 {
			c = randomCandidate(r, len(f.places), size)
		} else {
			c = best[r.IntN(len(best))].mutate(r, len(f.places), f.turned)
		}
		o := f.play(t, f, c, uint64(i), long)
		keep(found{c, o, goal.value(o), plays})
	}
	// In a short play luck counts too.
	for round, l := range []length{medium, thorough} {
		again := best
		best = nil
		for i, b := range again[:min(len(again), kept>>(2*round))] {
			b.outcome = f.play(t, f, b.candidate, uint64(1000*(round+1)+i), l)
			b.value = goal.value(b.outcome)
			keep(b)
		}
	}
	return best[0]
}

// Each family plays, with the race detector too. What comes of so short a play says nothing.
func TestEachFamilyPlays(t *testing.T) {
	r := rand.New(rand.NewPCG(*seedFlag, 0))
	t.Logf("seed %d", *seedFlag)
	for i := range families {
		f := &families[i]
		for place := range f.places {
			c := randomCandidate(r, len(f.places), 3)
			c.place = place
			f.play(t, f, c, *seedFlag, length{20 * time.Second, 1000})
		}
	}
}

// No strategy of a fixed set of names gets more than its share from rivals that
// always want a slot, and none makes one wait for longer than the bound.
func TestNoStrategyGetsMoreThanItsShareOrMakesARivalWaitBeyondTheBound(t *testing.T) {
	effort := *effortFlag
	if raceEnabled {
		t.Skip("takes ten times as long with the race detector; see TestEachFamilyPlays")
	}
	if testing.Short() {
		effort /= 20
	}
	t.Logf("seed %d", *seedFlag)
	rep := &report{}
	for i := range families {
		f := &families[i]
		sizes := f.sizes
		if sizes == nil {
			sizes = []int{1, 3}
		}
		for _, size := range sizes {
			for _, goal := range objectives {
				bound := map[string]float64{"gain": f.gain, "wait": f.wait}[goal.name]
				if bound == 0 {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d/%s", f.name, size, goal.name), func(t *testing.T) {
					t.Parallel()
					w := f.search(t, size, goal, effort)
					line := rep.add(f, size, goal, bound, w)
					t.Log(line)
					require.LessOrEqual(t, w.value, bound, "%s of %d: %s", goal.name, size, line)
				})
			}
		}
	}
	if *writeFlag {
		t.Cleanup(func() {
			if !t.Failed() {
				require.NoError(t, rep.write())
			}
		})
	}
}
