//go:build unix

package chromedpfair

import (
	"bufio"
	"context"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
	"github.com/stretchr/testify/require"
)

// startRemote starts a browser that listens, and returns its address and its
// process group.
func startRemote(t *testing.T) (address string, group int) {
	cmd := exec.Command(browserOrSkip(t), "--headless", "--no-sandbox", "--disable-background-networking",
		"--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), "about:blank")
	ownGroup(cmd)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	group = cmd.Process.Pid
	t.Cleanup(func() {
		killGroup(group)
		cmd.Wait()
		eventually(t, "the browser is gone", func() bool { return groupGone(group) })
	})
	listening := regexp.MustCompile(`DevTools listening on (ws://\S+)`)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				for lines.Scan() {
				}
			}()
			return found[1], group
		}
	}
	t.Fatal("the browser does not listen")
	return "", 0
}

func TestRemoteBrowsersAreConnectedTo(t *testing.T) {
	url := site(t)
	address, _ := startRemote(t)
	short, _, _ := strings.Cut(address, "/devtools")
	short = strings.Replace(short, "ws://", "http://", 1)
	p := newPool(t, Config{Remote: []string{short}})
	for _, tenant := range []string{"a", "b", "a"} {
		var tr traces
		require.NoError(t, p.Do(within(t, time.Minute), tenant, func(ctx context.Context) (err error) {
			tr, err = leave(ctx, url, tenant)
			return err
		}))
		require.Equal(t, none, tr.found)
	}
	require.Equal(t, short, p.Browsers().Running[0].Address)
	nothingLost(t, p)
	p.Close()

	// It goes on without us, and has nothing of ours.
	actx, cancel := remote.NewAllocator(within(t, time.Minute), address)
	defer cancel()
	ctx, cancel := chromedp.NewContext(actx)
	defer cancel()
	eventually(t, "our browser contexts are gone", func() bool {
		found, err := chromedp.CallBrowser(ctx, target.GetBrowserContexts, cdp.Empty{})
		require.NoError(t, err)
		return len(found.BrowserContextIDs) == 0
	})
}

func TestALostConnectionIsMadeAgain(t *testing.T) {
	t.Parallel() // it waits most of the time
	first, dead := startRemote(t)
	second, hung := startRemote(t)
	p := newPool(t, Config{
		Remote: []string{first, second}, TabsPerBrowser: 2,
		Health: Health{Every: 100 * time.Millisecond, Timeout: 8 * time.Second, HangAfter: 3 * time.Second},
	})
	require.NoError(t, p.Warm(within(t, time.Minute)))
	strike := func(address string, group int, signal syscall.Signal, reason error) {
		var contexts []context.Context
		for range 4 { // both browsers
			lease, err := p.Acquire(within(t, time.Minute), "a")
			require.NoError(t, err)
			defer lease.Release()
			ctx, cancel := lease.Value().Context(within(t, time.Minute))
			defer cancel()
			if lease.Value().page.browser.address == address {
				contexts = append(contexts, ctx)
			}
		}
		require.Len(t, contexts, 2)
		require.NoError(t, syscall.Kill(group, signal))
		for _, ctx := range contexts {
			<-ctx.Done()
			require.ErrorIs(t, context.Cause(ctx), reason)
		}
	}
	strike(second, hung, syscall.SIGSTOP, ErrBrowserHung)
	require.NoError(t, syscall.Kill(hung, syscall.SIGCONT))
	eventually(t, "both are there again", func() bool { return p.Browsers().Started == 3 && p.Browsers().in(serving) == 2 })
	nothingLost(t, p)
	strike(first, dead, syscall.SIGKILL, ErrBrowserDied)
	require.NoError(t, p.Do(within(t, time.Minute), "a", nothing), "the other one serves on")
}
