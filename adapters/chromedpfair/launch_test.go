//go:build unix

package chromedpfair

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// programOf writes a shell script to launch instead of a browser.
func programOf(t *testing.T, script string) (path string) {
	path = filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	return path
}

// scripted is newPool with a program of the test's, which gets its browser's
// path as $BROWSER.
func scripted(t *testing.T, cfg Config, script string) *Pool {
	real := browserOrSkip(t)
	p := newPool(t, cfg)
	p.browsers.cfg.ExecPath = programOf(t, fmt.Sprintf("BROWSER=%q\n%s", real, script))
	return p
}

func TestABrowserThatDoesNotStartIsAnErrorAndTriedAgainLater(t *testing.T) {
	t.Parallel() // it waits most of the time
	marker := filepath.Join(t.TempDir(), "repaired")
	p := scripted(t, Config{Browsers: 3}, fmt.Sprintf(`[ -e %q ] && exec "$BROWSER" "$@"; echo out of order >&2; exit 1`, marker))
	err := p.Do(within(t, time.Minute), "a", nothing)
	var failed *pool.AcquireError
	require.ErrorAs(t, err, &failed)
	require.ErrorContains(t, err, "out of order")
	err = p.Warm(within(t, time.Minute))
	require.ErrorContains(t, err, "out of order")
	require.Error(t, p.Browsers().LaunchErr)

	start, before := time.Now(), p.Browsers().LaunchFailures
	eventually(t, "three more attempts", func() bool { return p.Browsers().LaunchFailures >= before+3 })
	require.Greater(t, time.Since(start), 300*time.Millisecond, "attempts come without a pause")

	require.NoError(t, os.WriteFile(marker, nil, 0o600))
	eventually(t, "it works", func() bool { return p.Do(within(t, time.Minute), "a", nothing) == nil })
	require.NoError(t, p.Browsers().LaunchErr)
}

func TestABrowserThatHangsWhileStartingIsGivenUp(t *testing.T) {
	p := scripted(t, Config{LaunchTimeout: 300 * time.Millisecond}, `sleep 1000 --user-data-dir "$@"; sleep 1000`)
	err := p.Do(within(t, time.Minute), "a", nothing)
	require.ErrorContains(t, err, "did not start within 300ms")
}

func TestAScriptThatStartsTheBrowserIsEndedWithIt(t *testing.T) {
	p := scripted(t, Config{}, `"$BROWSER" "$@"`) // not exec, as Debian does it
	require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
}

func TestABrowserThatDiesAtOnceIsNotLaunchedAllTheTime(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "die")
	p := scripted(t, Config{Prewarm: -1}, fmt.Sprintf(`"$BROWSER" "$@" & [ -e %[1]q ] && wait
while [ ! -e %[1]q ]; do sleep 0.05; done; kill -9 $!`, marker)) // the first one only
	require.NoError(t, p.Warm(within(t, time.Minute)))
	require.NoError(t, os.WriteFile(marker, nil, 0o600))
	eventually(t, "it has died", func() bool { return p.Browsers().Died == 1 })
	require.ErrorIs(t, p.Browsers().LaunchErr, errStillborn)
	require.EqualValues(t, 1, p.Browsers().LaunchFailures)
}

// A killed browser is replaced without anybody asking, one at a time.
func TestAKilledBrowserIsReplacedOnce(t *testing.T) {
	p := newPool(t, Config{Browsers: 2, TabsPerBrowser: 2})
	require.NoError(t, p.Warm(within(t, time.Minute)))
	lease, err := p.Acquire(within(t, time.Minute), "a")
	require.NoError(t, err)
	defer lease.Release()
	ctx, cancel := lease.Value().Context(context.Background())
	defer cancel()
	require.NoError(t, syscall.Kill(lease.Value().page.browser.group, syscall.SIGKILL))
	<-ctx.Done()
	require.ErrorIs(t, context.Cause(ctx), ErrBrowserDied)
	eventually(t, "both run again", func() bool {
		stats := p.Browsers()
		return stats.Died == 1 && stats.Started == 3 && stats.in(serving) == 2
	})
}

func TestABrowserThatOpensNoTabsIsReplaced(t *testing.T) {
	p := newPool(t, Config{OpenTimeout: time.Millisecond}) // nothing opens within that
	err := p.Do(within(t, time.Minute), "a", nothing)
	require.ErrorContains(t, err, "deadline exceeded (browser ")
	eventually(t, "another one is tried", func() bool { return p.Browsers().Hung >= 1 && p.Browsers().Started >= 2 })
}
