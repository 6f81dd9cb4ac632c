//go:build unix

package chromedpfair

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shortDir is a temporary folder with a path that is short enough for a socket.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "cf")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestBrowsersLeaveNothingInTheFolderForTemporaryFiles(t *testing.T) {
	for name, find := range browsers(t) {
		for _, root := range []string{"", shortDir(t), filepath.Join(t.TempDir(), strings.Repeat("long", 20))} {
			temp := shortDir(t)
			t.Run(fmt.Sprintf("%s, root of %d", name, len(root)), func(t *testing.T) {
				t.Setenv("TMPDIR", temp)
				if root != "" {
					require.NoError(t, os.MkdirAll(root, 0o700))
				}
				p, err := New(Config{ExecPath: find(t), TabsPerBrowser: 1, Prewarm: -1, ProfileRoot: root, LaunchTimeout: time.Minute, OpenTimeout: time.Minute})
				require.NoError(t, err)
				defer p.Close()
				require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
				p.Close()
				requireEmpty(t, temp)
				if root != "" {
					requireEmpty(t, root)
				}
			})
		}
	}
}

// owner is the part of another process that has browsers and comes to an end.
const owner = "FAIRPOOL_TEST_OWNER"

func TestMainOfAnOwner(t *testing.T) {
	how := os.Getenv(owner)
	if how == "" {
		t.Skip("for another test")
	}
	p, err := New(Config{ExecPath: os.Getenv("BROWSER"), TabsPerBrowser: 1, Prewarm: -1, ProfileRoot: os.Getenv("ROOT"), LaunchTimeout: time.Minute, OpenTimeout: time.Minute})
	if err == nil {
		err = p.Do(t.Context(), "a", nothing)
	}
	fmt.Println("\nready", err)
	if how == "exit" {
		os.Exit(3)
	}
	select {}
}

func TestWhatAProcessLeavesWhenItIsEndedTheNextOneRemoves(t *testing.T) {
	path, err := os.Executable()
	require.NoError(t, err)
	browser := browserOrSkip(t)
	for how, signal := range map[string]syscall.Signal{"kill": syscall.SIGKILL, "terminate": syscall.SIGTERM, "exit": 0} {
		t.Run(how, func(t *testing.T) {
			root := shortDir(t)
			running := newPool(t, Config{ExecPath: browser, TabsPerBrowser: 1, Prewarm: -1})
			require.NoError(t, running.Do(within(t, time.Minute), "a", nothing))
			running.browsers.sweep() // what is in use is not an orphan
			require.NoError(t, running.Do(within(t, time.Minute), "a", nothing))

			cmd := exec.Command(path, "-test.run", "^TestMainOfAnOwner$", "-test.v")
			cmd.Env = append(os.Environ(), owner+"="+how, "BROWSER="+browser, "ROOT="+root)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(out)
			for lines.Scan() && !strings.HasPrefix(lines.Text(), "ready") {
			}
			require.Equal(t, "ready <nil>", lines.Text())
			if signal != 0 {
				require.NoError(t, cmd.Process.Signal(signal))
			}
			require.Error(t, cmd.Wait())
			left, err := os.ReadDir(root)
			require.NoError(t, err)
			require.Len(t, left, 1, "it had no time to do that itself")
			eventually(t, "its browser has ended", func() bool { return len(processesWith(root)) == 0 })
			p, err := New(Config{ExecPath: browser, ProfileRoot: root})
			require.NoError(t, err)
			defer p.Close()
			requireEmpty(t, root)
		})
	}
}
