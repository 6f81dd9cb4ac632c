package sched

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

type rapidChooser struct{ *rapid.T }

func (c rapidChooser) choose(n int) int { return rapid.IntRange(0, n-1).Draw(c.T, "") }

type randomChooser struct{ *rand.Rand }

func (c randomChooser) choose(n int) int { return c.IntN(n) }

// byteChooser takes its choices from a fuzzer's input.
type byteChooser struct{ rest []byte }

func (c *byteChooser) choose(n int) int {
	if len(c.rest) == 0 {
		return 0
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return int(b) % n
}

// Weights are powers of two here: everything is decided as by the dumb one, down
// to the last tie.
func TestDecidesAsTheDumbTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t, rapidChooser{t}, true)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			h.step()
		}
	})
}

// Arbitrary weights: the one that is next has the least key but for rounding.
func TestDecidesAsTheDumbTwinUpToRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t, rapidChooser{t}, false)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			h.step()
		}
	})
}

// Long histories, in which debts, credits and rounding errors would pile up.
func TestDecidesAsTheDumbTwinInTheLongRun(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			h := newHistory(t, randomChooser{rand.New(rand.NewPCG(seed, 1))}, seed%4 != 3)
			for range 2000 {
				h.step()
			}
		})
	}
}

func FuzzTwin(f *testing.F) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 2))
		history := make([]byte, 300)
		for i := range history {
			history[i] = byte(r.Uint32())
		}
		f.Add(history)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &byteChooser{data}
		h := newHistory(t, c, true)
		for len(c.rest) > 0 {
			h.step()
		}
	})
}
