package main

import (
	"bytes"
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is the demonstration in a size for tests.
func small() config {
	cfg := defaults()
	cfg.duration = 2 * time.Second
	return cfg
}

// A row is a line of the result as a reader of the output sees it.
type row struct {
	tenant       string
	sent, served int
}

var rows = regexp.MustCompile(`(?m)^ *(?:plain proxy|fair proxy|) +(flood|tenant-\d) +(\d+) +(\d+) +[\d.]+% +[\d.]+ m?s +[\d.]+ m?s$`)

// readResult finds the tables of the two proxies in the output.
func readResult(t *testing.T, output string) (plain, fair []row) {
	t.Helper()
	var all []row
	for _, m := range rows.FindAllStringSubmatch(strings.ReplaceAll(output, " \n", "\n"), -1) {
		sent, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		served, err := strconv.Atoi(m[3])
		require.NoError(t, err)
		all = append(all, row{m[1], sent, served})
	}
	require.Len(t, all, 2*len(tenants), "output:\n%s", output)
	return all[:len(tenants)], all[len(tenants):]
}

// served adds up what the tenants but the flood have sent and got.
func others(rows []row) (sent, served int) {
	for _, r := range rows[1:] {
		sent, served = sent+r.sent, served+r.served
	}
	return sent, served
}

func TestTheOthersAreServedThroughTheFairProxy(t *testing.T) {
	// Whatever else the machine has to do disturbs either run.
	const attempts = 3
	for range attempts {
		var output bytes.Buffer
		require.NoError(t, run(t.Context(), small(), &output))
		t.Logf("output:\n%s", &output)
		plain, fair := readResult(t, output.String())
		for i := range tenants {
			require.Equal(t, tenants[i], plain[i].tenant)
			require.Equal(t, tenants[i], fair[i].tenant)
			require.LessOrEqual(t, plain[i].served, plain[i].sent)
			require.LessOrEqual(t, fair[i].served, fair[i].sent)
		}
		sentBefore, before := others(plain)
		sent, after := others(fair)
		require.Contains(t, output.String(), "fair proxy: requests served")
		require.Contains(t, output.String(), "slots in use")
		if float64(after) > 0.95*float64(sent) && float64(before) < 0.8*float64(sentBefore) {
			return
		}
	}
	t.Errorf("the others never got more than 95%% with the fair proxy and less than 80%% without, in %d attempts", attempts)
}

func TestStoppingEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, run(ctx, defaults(), &bytes.Buffer{}), context.DeadlineExceeded)
}

func TestTheQuantileOfAnAccount(t *testing.T) {
	var a account
	require.Zero(t, a.quantile(0.99))
	require.Zero(t, a.success())
	for i := range 100 {
		a.times = append(a.times, time.Duration(100-i))
	}
	a.sent = 200
	require.EqualValues(t, 50, a.quantile(0.50))
	require.EqualValues(t, 99, a.quantile(0.99))
	require.EqualValues(t, 100, a.quantile(1))
	require.Equal(t, 0.5, a.success())
}

func TestThePictureShowsTheSlotsAndTheTenants(t *testing.T) {
	cfg := small()
	tl := newTally("fair proxy", newAPI(cfg))
	now := slots{inUse: 3, capacity: 5, most: 8}
	p := &picture{
		config: cfg, tally: tl, width: 80, ended: make(chan struct{}),
		proxy: proxy{state: func() string { return "3 of 5 slots in use" }, slots: func() slots { return now }},
	}
	tl.note(flood, true, time.Millisecond)
	p.Update(nextFrame{})
	p.last = time.Now().Add(-time.Second) // a second later
	for range 4 {
		tl.note(1, true, 20*time.Millisecond)
	}
	tl.note(flood, false, time.Millisecond)
	p.Update(nextFrame{})
	text := ansi.Strip(p.View().Content)
	require.Contains(t, text, "3 of 5 slots in use")
	require.Contains(t, text, "■■■□□···")
	require.Contains(t, text, "▅▅")
	require.Regexp(t, `tenant-1 +████ +4 +100% +20 ms`, text)
	require.Regexp(t, `flood +1 +50% +1 ms`, text)
	for width := range 130 {
		p.width = width
		require.NotPanics(t, func() { p.View() })
	}
	now = slots{}
	require.Contains(t, ansi.Strip(p.View().Content), "no slots")
}

func TestKeysStopThePicture(t *testing.T) {
	for _, key := range []tea.KeyPressMsg{{Code: 'q', Text: "q"}, {Code: 'c', Mod: tea.ModCtrl}} {
		stopped := false
		p := &picture{stop: func() { stopped = true }}
		p.Update(key)
		require.True(t, stopped)
	}
}
