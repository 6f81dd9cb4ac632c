package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThePlainViewPrintsAHeadingForEachRunAndALineEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(small())
		var output bytes.Buffer
		shown := make(chan struct{})
		go func() {
			plainView(&output)(st, nil)
			close(shown)
		}()
		st.prepare("getting ready")
		time.Sleep(3 * time.Second)

		first := newTally("puddle alone", load{})
		for due := range 120 {
			first.waits(&request{tenant: batch, due: time.Duration(due)})
		}
		first.holds(&request{tenant: batch})
		first.waits(&request{tenant: 2, due: time.Second})
		st.begin(first)
		time.Sleep(2500 * time.Millisecond)
		st.begin(newTally("fairpool", load{}))
		time.Sleep(1500 * time.Millisecond)
		st.end()
		<-shown
		require.Equal(t, `getting ready

puddle alone: connections held + queries waiting
 time     batch     web-1     web-2     web-3     web-4    longest web wait
  1 s   1 + 120     0 + 0     0 + 1     0 + 0     0 + 0                   0
  2 s   1 + 120     0 + 0     0 + 1     0 + 0     0 + 0              1.00 s

fairpool: connections held + queries waiting
 time     batch     web-1     web-2     web-3     web-4    longest web wait
  1 s     0 + 0     0 + 0     0 + 0     0 + 0     0 + 0                   0
`, output.String())
	})
}

func TestThePlainColumnsStandUnderTheirHeadings(t *testing.T) {
	moments := make([]moment, len(tenants))
	for i := range moments {
		moments[i] = moment{held: 8, waiting: 1000, longest: time.Minute}
	}
	require.Len(t, plainLine(99*time.Second, moments), len(plainHeading()))
	require.Equal(t, len(tenants), strings.Count(plainLine(0, moments), "8 + 1000"))
}
