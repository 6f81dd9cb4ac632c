//go:build unix

package chromedpfair

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/inspector"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// What this package takes for granted about chromedp and Chromium. If one of
// these fails after an upgrade, the code that rests on it is to be looked at.

// bare starts a browser with chromedp alone, and returns its context and its
// process group.
func bare(t *testing.T, options ...chromedp.ContextOption) (ctx context.Context, group int) {
	return bareFrom(t, browserOrSkip(t), options...)
}

func bareFrom(t *testing.T, program string, options ...chromedp.ContextOption) (ctx context.Context, group int) {
	allocator, release := chromedp.NewExecAllocator(context.Background(),
		append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.ModifyCmdFunc(ownGroup))...)
	t.Cleanup(release)
	options = append(options, chromedp.WithLogf(t.Logf), chromedp.WithErrorf(func(string, ...any) {}))
	ctx, cancel := chromedp.NewContext(allocator, options...)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx)) // it runs as root too: chromedp sees to that
	group = chromedp.FromContext(ctx).Browser.Process().Pid
	t.Cleanup(func() { killGroup(group) })
	return ctx, group
}

// briefly runs JavaScript that is not expected to come back.
func briefly(ctx context.Context, js string) error {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	_, err := script(ctx, js)
	return err
}

func TestFactTabsOfABrowserContextShareItsState(t *testing.T) {
	url := site(t)
	browser, _ := bare(t)
	first := newTab(t, browser, chromedp.WithNewBrowserContext())
	second := newTab(t, first)
	other := newTab(t, browser, chromedp.WithNewBrowserContext())
	for _, ctx := range []context.Context{first, second, other} {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
	}
	_, err := script(first, "document.cookie = 'a=b'; localStorage.c = 'd'; ''")
	require.NoError(t, err)
	for ctx, want := range map[context.Context]string{second: "a=b d", other: " undefined"} {
		got, err := script(ctx, "document.cookie + ' ' + localStorage.c")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestFactTheContextOfTheFirstRunBoundsATabForGood(t *testing.T) {
	browser, _ := bare(t)
	ctx, cancel := chromedp.NewContext(browser)
	defer cancel()
	first, end := context.WithCancel(ctx)
	require.NoError(t, chromedp.Do(first))
	_, err := script(ctx, "'well'")
	require.NoError(t, err)
	end()
	require.ErrorIs(t, briefly(ctx, "'well'"), context.DeadlineExceeded)
	require.NoError(t, ctx.Err())
}

func TestFactACrashIsAnEventAndCallsHang(t *testing.T) {
	browser, _ := bare(t)
	crashed := make(chan struct{})
	ctx := newTab(t, browser, chromedp.WithListener(func(event any) {
		if _, ok := event.(*inspector.EventTargetCrashed); ok {
			close(crashed)
		}
	}))
	other := newTab(t, browser)
	_, err := chromedp.Call(ctx, cdppage.Navigate, cdppage.NavigateParams{URL: "chrome://crash"})
	require.NoError(t, err)
	<-crashed
	require.ErrorIs(t, briefly(ctx, "'well'"), context.DeadlineExceeded)
	require.NoError(t, ctx.Err(), "the context knows")
	_, err = script(other, "'well'")
	require.NoError(t, err, "other tabs live on")
}

func TestFactTheDeathOfABrowserEndsItsContexts(t *testing.T) {
	browser, group := bare(t)
	ctx := newTab(t, browser)
	require.NoError(t, syscall.Kill(group, syscall.SIGKILL))
	<-ctx.Done()
	<-browser.Done()
	again, cancel := chromedp.NewContext(browser)
	defer cancel()
	require.Error(t, chromedp.Do(again))
}

func TestFactToCancelATabOfAHungBrowserTakesSeconds(t *testing.T) {
	t.Parallel() // it waits most of the time
	browser, group := bare(t)
	ctx, cancel := chromedp.NewContext(browser)
	require.NoError(t, chromedp.Do(ctx))
	require.NoError(t, syscall.Kill(group, syscall.SIGSTOP))
	start := time.Now()
	cancel()
	require.Greater(t, time.Since(start), 4*time.Second)
	require.NoError(t, syscall.Kill(group, syscall.SIGKILL))
}
