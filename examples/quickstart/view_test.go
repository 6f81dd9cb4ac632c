package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"
)

// busyStage is in its second run: the batch holds six connections, web-2 one.
func busyStage() *stage {
	st := newStage(config{rounds: 1, connections: 8, queries: 200, duration: time.Second})
	st.begin(finished("puddle alone", 4*time.Second))
	t := newTally("fairpool", load{})
	t.begin = t.begin.Add(-500 * time.Millisecond)
	t.accounts[batch].held, t.accounts[2].held = 6, 1
	for range 100 {
		t.waits(&request{tenant: batch})
	}
	t.waits(&request{tenant: 4, due: 490 * time.Millisecond})
	st.begin(t)
	return st
}

func screen(p picture) []string {
	return strings.Split(ansi.Strip(p.View().Content), "\n")
}

func TestThePictureShowsWhoHoldsAndWhoWaits(t *testing.T) {
	lines := screen(picture{stage: busyStage(), width: 80, height: 24})
	text := strings.Join(lines, "\n")
	require.Contains(t, text, "run 2 of 2: fairpool")
	require.Contains(t, text, "puddle alone: web p99 wait 4.00 s")
	for _, line := range lines {
		switch {
		case strings.Contains(line, "handoff"): // the connections
			require.Equal(t, 6, strings.Count(line, "batch"))
			require.Equal(t, 1, strings.Count(line, "web-2"))
			require.Equal(t, 1, strings.Count(line, "handoff"), "free while others wait")
		case strings.HasPrefix(line, "  batch "):
			require.Regexp(t, `^  batch +6  █{20} +100 +\d+ ms +0$`, line, "half of the queries wait: half of the room")
		case strings.HasPrefix(line, "  web-4 "):
			require.Regexp(t, `^  web-4 +0  █ +1 +\d+(\.\d)? ms +0$`, line)
		}
	}
}

func TestThePictureFitsTheTerminal(t *testing.T) {
	st := busyStage()
	for _, size := range [][2]int{{80, 24}, {120, 30}, {200, 60}, {60, 20}, {41, 24}, {80, 13}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			lines := screen(picture{stage: st, width: size[0], height: size[1]})
			require.LessOrEqual(t, len(lines), size[1])
			for _, line := range lines {
				require.LessOrEqual(t, lipgloss.Width(line), size[0], line)
			}
			for _, tenant := range tenants {
				require.Contains(t, strings.Join(lines, "\n"), "\n  "+tenant+" ")
			}
		})
	}
}

func TestThePictureIsDrawnOnHoweverSmallATerminal(t *testing.T) {
	st := busyStage()
	for size := range 40 {
		require.NotPanics(t, func() { screen(picture{stage: st, width: size, height: size}) })
	}
}

func TestThePictureSaysWhatIsBeingPrepared(t *testing.T) {
	st := newStage(small())
	st.prepare("creating a database")
	require.Contains(t, strings.Join(screen(picture{stage: st, width: 80, height: 24}), "\n"), "creating a database")
}

func TestQAndControlCStopTheProgram(t *testing.T) {
	for _, key := range []tea.KeyPressMsg{{Code: 'q', Text: "q"}, {Code: 'c', Mod: tea.ModCtrl}} {
		stopped := false
		_, _ = picture{stop: func() { stopped = true }}.Update(key)
		require.True(t, stopped, key)
	}
	_, _ = picture{stop: func() { t.Error("stopped by x") }}.Update(tea.KeyPressMsg{Code: 'x', Text: "x"})
}

func TestTheLiveViewEndsWithTheStage(t *testing.T) {
	st := busyStage()
	var output bytes.Buffer
	liveView(strings.NewReader("q"), &output)(st, st.end)
	require.NotEmpty(t, output.String())
}
