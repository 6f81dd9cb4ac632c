package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// finished is the tally of a run in which every web query waited as long.
func finished(pool string, web, batchTime time.Duration) *tally {
	t := newTally(pool, load{})
	for i := range t.accounts {
		t.accounts[i].waits = []time.Duration{web, web}
		t.accounts[i].done = 2
		t.accounts[i].slotTime = time.Second
	}
	t.accounts[batch] = account{
		done: 100, slotTime: 6 * time.Second, last: batchTime,
		waits: []time.Duration{0, time.Second, 2 * time.Second},
	}
	return t
}

func TestTheResultShowsEachTenantOfBothRuns(t *testing.T) {
	puddle := finished("puddle alone", 4*time.Second, 5*time.Second)
	puddle.accounts[4].givenUp = 3
	var output bytes.Buffer
	require.NoError(t, printResult(&output, []*tally{puddle, finished("fairpool", 25*time.Millisecond, 4*time.Second)}))
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

web p99 wait 160 times shorter (4.00 s to 25 ms), batch throughput +25.0%
`, "\n"), strings.TrimLeft(output.String(), "\n"))
}

func TestTheClosingLineSaysWhatWasMeasuredWhicheverWay(t *testing.T) {
	for want, runs := range map[string][2]*tally{
		"web p99 wait 4.0 times shorter (400 ms to 100 ms), batch throughput -50.0%": {
			finished("", 400*time.Millisecond, 4*time.Second), finished("", 100*time.Millisecond, 8*time.Second)},
		"web p99 wait 2.5 times longer (100 ms to 250 ms), batch throughput +0.0%": {
			finished("", 100*time.Millisecond, 4*time.Second), finished("", 250*time.Millisecond, 4*time.Second)},
		"web p99 wait unchanged (100 ms to 100 ms), batch throughput +100.0%": {
			finished("", 100*time.Millisecond, 4*time.Second), finished("", 100*time.Millisecond, 2*time.Second)},
	} {
		require.Equal(t, want, closingLine(runs[0], runs[1]))
	}
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
