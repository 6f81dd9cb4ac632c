//go:build unix

package chromedpfair

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A disaster is something that a tenant's page, or the world, does to a tab.
type disaster struct {
	name   string
	strike func(t *testing.T, ctx context.Context, p *Pool, tab *Tab, url string) (since time.Time)
	lost   error // why the tab is lost; nil: it is not, and the tenant gives up
	most   time.Duration
	others bool // tabs of others are lost too
}

var disasters = []disaster{
	{name: "the page crashes", lost: ErrTabCrashed, strike: func(t *testing.T, ctx context.Context, _ *Pool, _ *Tab, _ string) time.Time {
		since := time.Now()
		_ = chromedp.Do(ctx, chromedp.Navigate("chrome://crash"))
		return since
	}},
	{name: "its renderer is killed", lost: ErrTabCrashed, strike: func(t *testing.T, ctx context.Context, p *Pool, tab *Tab, url string) time.Time {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
		pid := rendererOf(t, ctx, tab)
		since := time.Now()
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		return since
	}},
	{name: "the browser is killed", lost: ErrBrowserDied, others: true, strike: func(t *testing.T, ctx context.Context, p *Pool, tab *Tab, url string) time.Time {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
		since := time.Now()
		require.NoError(t, syscall.Kill(tab.page.browser.group, syscall.SIGKILL))
		return since
	}},
	{name: "the browser is stopped", lost: ErrBrowserHung, others: true, most: time.Minute, strike: func(t *testing.T, ctx context.Context, p *Pool, tab *Tab, url string) time.Time {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
		since := time.Now()
		require.NoError(t, syscall.Kill(tab.page.browser.group, syscall.SIGSTOP))
		return since
	}},
	{name: "a script does not end", strike: func(t *testing.T, ctx context.Context, _ *Pool, _ *Tab, url string) time.Time {
		hangs(t, ctx, url, "for (;;);")
		return time.Time{}
	}},
	{name: "an alert is open", strike: func(t *testing.T, ctx context.Context, _ *Pool, _ *Tab, url string) time.Time {
		hangs(t, ctx, url, "alert('wait for me'); 'answer'")
		return time.Time{}
	}},
	{name: "a page does not want to be left", strike: func(t *testing.T, ctx context.Context, _ *Pool, _ *Tab, url string) time.Time {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url+"/unload"), chromedp.Click(chromedp.CSS("p"))))
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		require.ErrorIs(t, chromedp.Do(ctx, chromedp.Navigate(url)), context.DeadlineExceeded)
		return time.Time{}
	}},
	{name: "a download starts", strike: func(t *testing.T, ctx context.Context, p *Pool, _ *Tab, url string) time.Time {
		require.ErrorContains(t, chromedp.Do(ctx, chromedp.Navigate(url+"/download")), "ERR_ABORTED")
		_ = chromedp.Do(ctx, chromedp.Sleep(patience)) // time enough for it
		home, _ := os.UserHomeDir()
		for _, dir := range []string{".", home, filepath.Join(home, "Downloads"), filepath.Join(p.browsers.cfg.ProfileRoot, "*", "*"), os.TempDir()} {
			found, err := filepath.Glob(filepath.Join(dir, "loot*"))
			require.NoError(t, err)
			require.Empty(t, found)
		}
		return time.Time{}
	}},
	{name: "500 popups open", strike: func(t *testing.T, ctx context.Context, _ *Pool, tab *Tab, url string) time.Time {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
		popups := scale(50, 500)
		_, err := script(ctx, fmt.Sprintf("for (let i = 0; i < %d; i++) open('/?' + i); 'opened'", popups))
		require.NoError(t, err)
		eventually(t, "all are open", func() bool { return len(pagesOf(t, tab.page.browser, tab.BrowserContext())) == popups+1 })
		return time.Time{}
	}},
}

// hangs requires that the script keeps the page from answering, and does not
// hold the caller for longer than it wants.
func hangs(t *testing.T, ctx context.Context, url, js string) {
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := script(ctx, js)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// patience is a tenant's with a page that hangs.
const patience = time.Second

func TestDisastersUnderLoadLoseNothing(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		name := "tabs fresh"
		if reuse {
			name = "tabs kept"
		}
		t.Run(name, func(t *testing.T) {
			p := newPool(t, Config{
				Browsers: 2, TabsPerBrowser: 3, ReuseSameTenant: reuse,
				Health: Health{Every: 500 * time.Millisecond, Timeout: 10 * time.Second},
			})
			for _, d := range disasters {
				if reuse && d.others && !*full {
					continue // what happens to a browser does not depend on its tabs
				}
				t.Run(d.name, func(t *testing.T) { d.test(t, p) })
			}
		})
	}
}

func (d *disaster) test(t *testing.T, p *Pool) {
	url := site(t)
	before := p.Browsers()
	l := startLoad(t, p, url, 4)
	l.progress(t, 5)
	for range scale(1, 5) {
		d.happen(t, p, url)
		l.progress(t, 5)
	}
	l.end(t)
	if !d.others {
		require.Zero(t, l.lost.Load(), "tabs of others were lost")
		after := p.Browsers()
		require.Equal(t, before.Died+before.Hung, after.Died+after.Hung)
	}
	nothingLost(t, p)
}

func (d *disaster) happen(t *testing.T, p *Pool, url string) {
	var since time.Time
	err := p.Pool.Do(within(t, 4*time.Minute), "unlucky", func(ctx context.Context, tab *Tab) error {
		ctx, cancel := tab.Context(ctx)
		defer cancel()
		since = d.strike(t, ctx, p, tab, url)
		if d.lost != nil {
			_ = chromedp.Do(ctx, chromedp.Sleep(time.Hour))
			return context.Cause(ctx)
		}
		return nil
	})
	if d.lost == nil {
		require.NoError(t, err)
		return
	}
	took := time.Since(since)
	var lost *LostError
	require.ErrorAs(t, err, &lost)
	require.ErrorIs(t, err, d.lost)
	require.Equal(t, d.lost == ErrTabCrashed, errors.Is(err, pool.ErrBadResource))
	t.Logf("noticed after %v", took)
	require.Less(t, took, cmp.Or(d.most, 5*time.Second)) // where nothing else runs, 250 ms
}
