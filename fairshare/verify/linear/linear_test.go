package linear

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

var (
	lengthFlag = flag.Duration("length", 5*time.Second, "for how long to record histories and check them")
	seedFlag   = flag.Uint64("seed", 0, "of the random choices; 0 draws one")
)

// patience is how long the search for an order may take. It takes milliseconds.
const patience = time.Minute

// Invariants 1, 3, 4, 7 and 10, of the code itself with its lock and its
// goroutines: every answer is that of a counter asked one by one.
func TestASemaphoreIsLinearizable(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4 * runtime.NumCPU())) // to be interrupted anywhere
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	histories, questions := 0, 0
	var answers [drop + 1]int
	for start := time.Now(); ; histories++ {
		// On a machine with much else to do, it may take longer until every
		// answer has come up.
		over := time.Since(start) - *lengthFlag
		if over > 0 && !slices.Contains(answers[take:drop], 0) || over > time.Minute {
			break
		}
		capacity := 1 + histories%3
		s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: capacity})
		require.NoError(t, err)
		h := record(t, s, seed+uint64(histories), capacity)
		requireOrder(t, capacity, h.asked)
		questions += len(h.asked)
		for k, n := range h.answers {
			answers[k] += n
		}
	}
	t.Logf("%d histories of %d operations", histories, questions)
	for k := take; k < drop; k++ {
		t.Logf("%8d: %v", answers[k], question{kind: k})
		require.NotZero(t, answers[k], "none that %v", question{kind: k})
	}
}

// requireOrder fails, with a picture of the history, if there is none.
func requireOrder(t *testing.T, capacity int, asked []porcupine.Operation) {
	t.Helper()
	result, info := porcupine.CheckOperationsVerbose(model(capacity), asked, patience)
	if result != porcupine.Ok {
		picture := t.ArtifactDir() + "/history.html"
		require.NoError(t, porcupine.VisualizePath(model(capacity), info, picture))
		for _, o := range asked { // it may not come again
			t.Logf("%d to %d: caller %d %v", o.Call, o.Return, o.ClientId, o.Input)
		}
		t.Logf("of %d slots", capacity)
		t.Fatalf("not linearizable (%v); see it with go test -artifacts: %s", result, picture)
	}
}

// A check that accepts everything proves nothing. Each line is a history of a
// semaphore of one slot; an operation lasts from its first number to its second.
func TestWrongAnswersAreNoticed(t *testing.T) {
	type op struct {
		kind       kind
		call, back int64
		n          int
	}
	for name, x := range map[string]struct {
		ops  []op
		want porcupine.CheckResult
	}{
		"one after the other": {[]op{{take, 1, 2, 0}, {give, 3, 4, 0}, {take, 5, 6, 0}}, porcupine.Ok},
		"two at once":         {[]op{{take, 1, 2, 0}, {take, 3, 4, 0}}, porcupine.Illegal},
		"two at once, one of which returns before the other is granted": {
			[]op{{take, 1, 2, 0}, {take, 3, 6, 0}, {give, 4, 5, 0}}, porcupine.Ok},
		"given back twice":                     {[]op{{take, 1, 2, 0}, {give, 3, 4, 0}, {give, 5, 6, 0}}, porcupine.Illegal},
		"refused though free":                  {[]op{{take, 1, 2, 0}, {give, 3, 4, 0}, {refuse, 5, 6, 0}}, porcupine.Illegal},
		"refused while it is given back":       {[]op{{take, 1, 2, 0}, {give, 3, 6, 0}, {refuse, 4, 5, 0}}, porcupine.Ok},
		"refused while a cancelled one has it": {[]op{{grab, 1, 4, 0}, {drop, 1, 4, 0}, {refuse, 2, 3, 0}}, porcupine.Ok},
		"kept by a cancelled one":              {[]op{{grab, 1, 2, 0}, {drop, 1, 2, 0}, {refuse, 3, 4, 0}}, porcupine.Illegal},
		"taken when there is none":             {[]op{{size, 1, 2, 0}, {take, 3, 4, 0}}, porcupine.Illegal},
		"refused when there is one more":       {[]op{{take, 1, 2, 0}, {size, 3, 4, 2}, {refuse, 5, 6, 0}}, porcupine.Illegal},
		"counted before it is returned":        {[]op{{take, 1, 2, 0}, {look, 3, 4, 1}, {give, 5, 6, 0}}, porcupine.Ok},
		"counted after it was returned":        {[]op{{take, 1, 2, 0}, {give, 3, 4, 0}, {look, 5, 6, 1}}, porcupine.Illegal},
		"closed by nobody":                     {[]op{{ended, 1, 2, 0}}, porcupine.Illegal},
		"closed just before":                   {[]op{{ended, 1, 4, 0}, {end, 2, 3, 0}}, porcupine.Ok},
		"taken though closed":                  {[]op{{end, 1, 2, 0}, {take, 3, 4, 0}}, porcupine.Illegal},
	} {
		t.Run(name, func(t *testing.T) {
			h := &history{}
			for client, o := range x.ops {
				h.note(client, question{o.kind, o.n}, o.call, o.back)
			}
			require.Equal(t, x.want, porcupine.CheckOperationsTimeout(model(1), h.asked, patience))
		})
	}
}
