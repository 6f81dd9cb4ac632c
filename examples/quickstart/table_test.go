package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// finished is the tally of a run in which every web query waited as long.
func finished(pool string, web time.Duration) *tally {
	t := newTally(pool, load{})
	for i := range t.accounts {
		t.accounts[i].waits = []time.Duration{web, web}
		t.accounts[i].done = 2
		t.accounts[i].slotTime = time.Second
	}
	t.accounts[batch] = account{
		done: 100, slotTime: 6 * time.Second,
		waits: []time.Duration{0, time.Second, 2 * time.Second},
	}
	return t
}

func TestTheResultShowsEachTenantOfBothRuns(t *testing.T) {
	puddle := finished("puddle alone", 4*time.Second)
	puddle.accounts[4].givenUp = 3
	var output bytes.Buffer
	require.NoError(t, printResult(&output, [][]*tally{{puddle}, {finished("fairpool", 25*time.Millisecond)}}))
	require.Equal(t, strings.TrimLeft(`

pool           tenant   queries   p50 wait   p99 wait    worst   slot-time
──────────────────────────────────────────────────────────────────────────
puddle alone   batch        100     1.00 s     2.00 s   2.00 s       60.0%
               web-1          2     4.00 s     4.00 s   4.00 s       10.0%
               web-2          2     4.00 s     4.00 s   4.00 s       10.0%
               web-3          2     4.00 s     4.00 s   4.00 s       10.0%
               web-4        2/5     4.00 s     4.00 s   4.00 s       10.0%

fairpool       batch        100     1.00 s     2.00 s   2.00 s       60.0%
               web-1          2      25 ms      25 ms    25 ms       10.0%
               web-2          2      25 ms      25 ms    25 ms       10.0%
               web-3          2      25 ms      25 ms    25 ms       10.0%
               web-4          2      25 ms      25 ms    25 ms       10.0%

2/5: the rest was not done when the run was over; waits in vain count too

web p99 wait 160 times shorter (4.00 s to 25 ms)
`, "\n"), strings.TrimLeft(output.String(), "\n"))
}

func TestTheClosingLineSaysWhatWasMeasuredWhicheverWay(t *testing.T) {
	for want, runs := range map[string][2]*tally{
		"web p99 wait 4.0 times shorter (400 ms to 100 ms)": {
			finished("", 400*time.Millisecond), finished("", 100*time.Millisecond)},
		"web p99 wait 2.5 times longer (100 ms to 250 ms)": {
			finished("", 100*time.Millisecond), finished("", 250*time.Millisecond)},
		"web p99 wait unchanged (100 ms to 100 ms)": {
			finished("", 100*time.Millisecond), finished("", 100*time.Millisecond)},
	} {
		require.Equal(t, want, closingLine(resultOf(runs[:1]), resultOf(runs[1:])))
	}
}

// The machine is busy in the second run of the first pool and the third of the
// second one. Neither decides.
func TestARoundThatTheMachineSpoiltDoesNotDecide(t *testing.T) {
	const ms = time.Millisecond
	first := resultOf([]*tally{finished("", 100*ms), finished("", 4000*ms), finished("", 120*ms)})
	second := resultOf([]*tally{finished("", 10*ms), finished("", 12*ms), finished("", 3000*ms)})
	require.Equal(t, "web p99 wait 10 times shorter (120 ms to 12 ms), waits are medians of 3 rounds",
		closingLine(first, second))
	require.Equal(t, 120*ms, first.tenants[1].p99)
	require.Equal(t, 300, first.tenants[batch].done, "queries are those of all rounds")
	require.Equal(t, 15, int(median([]time.Duration{30, 10, 20, 5})))
}

func TestDurationsAreWrittenWithTheDigitsThatMatter(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0":       0,
		"0.1 ms":  100 * time.Microsecond,
		"9.9 ms":  9900 * time.Microsecond,
		"10 ms":   10 * time.Millisecond,
		"1000 ms": 999_900 * time.Microsecond,
		"1.00 s":  time.Second,
		"12.35 s": 12_349 * time.Millisecond,
	} {
		require.Equal(t, want, short(d))
	}
}
