//go:build unix

package chromedpfair

import (
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
	lost   error         // why the tab is lost; nil: it is not, and the tenant gives up
	most   time.Duration // until it is noticed, where that is not as soon as is promised
	others bool          // tabs of others are lost too
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
		popups := scale(25, 500)
		_, err := script(ctx, fmt.Sprintf("for (let i = 0; i < %d; i++) open('/?' + i); 'opened'", popups))
		require.NoError(t, err)
		eventually(t, "all are open", func() bool { return len(pagesOf(t, tab.page.browser, tab.BrowserContext())) == popups+1 })
		return time.Time{}
	}},
}

var stopped = disaster{
	name: "the browser is stopped", lost: ErrBrowserHung, others: true, most: time.Minute,
	strike: func(t *testing.T, ctx context.Context, p *Pool, tab *Tab, url string) time.Time {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
		since := time.Now()
		require.NoError(t, syscall.Kill(tab.page.browser.group, syscall.SIGSTOP))
		return since
	},
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

// A disasterPool has the browsers that disasters befall.
func disasterPool(t *testing.T, reuse bool) *Pool {
	return newPool(t, Config{
		Browsers: 2, TabsPerBrowser: 3, ReuseSameTenant: reuse,
		Health: Health{Every: 500 * time.Millisecond, Timeout: 10 * time.Second},
	})
}

func TestDisastersUnderLoadLoseNothing(t *testing.T) {
	url := site(t)
	p := disasterPool(t, false)
	for _, d := range disasters {
		t.Run(d.name, func(t *testing.T) { befall(t, p, url, d) })
	}
}

func TestAStoppedBrowserIsFoundOutUnderLoad(t *testing.T) {
	t.Parallel() // it waits most of the time
	befall(t, disasterPool(t, false), site(t), stopped)
}

// What happens to a browser does not depend on how its tabs are used.
func TestDisastersOneAfterTheOtherLoseNoKeptTab(t *testing.T) {
	var ofTabs []disaster
	for _, d := range disasters {
		if !d.others {
			ofTabs = append(ofTabs, d)
		}
	}
	befall(t, disasterPool(t, true), site(t), ofTabs...)
}

// befall has the disasters happen while others load pages.
func befall(t *testing.T, p *Pool, url string, happening ...disaster) {
	before := p.Browsers()
	l := startLoad(t, p, url, 4)
	l.progress(t, 5)
	others := false
	for _, d := range happening {
		others = others || d.others
		for range scale(1, 5) {
			d.promptly(t, p, url)
		}
	}
	l.progress(t, 5)
	l.end(t)
	if !others {
		require.Zero(t, l.lost.Load(), "tabs of others were lost")
		after := p.Browsers()
		require.Equal(t, before.Died+before.Hung, after.Died+after.Hung)
	}
	nothingLost(t, p)
}

// promised is how soon the end of a tab is noticed.
const promised = 250 * time.Millisecond

// promptly has a disaster happen that is noticed as soon as is promised. The
// machine may be busy: how late a browser then answers a question is added for
// the two ways that the news takes, through the browser and through this process; and
// it may have been unlucky, so that there is another try.
func (d *disaster) promptly(t *testing.T, p *Pool, url string) {
	for try := 1; ; try++ {
		latest := questions(t, p)
		since, took := d.happen(t, p, url)
		late := latest(since)
		switch {
		case d.lost == nil:
			return
		case d.most > 0:
			require.Less(t, took, d.most)
			return
		}
		t.Logf("%s: noticed after %v; a browser answers within %v", d.name, took, late)
		if took <= promised+2*late {
			return
		}
		require.Less(t, try, 10, "%s: not once noticed within %v", d.name, promised)
	}
}

// questions asks the browsers whether they are there, again and again. latest
// ends that and returns how long an answer has taken, at most, since a moment.
func questions(t *testing.T, p *Pool) (latest func(since time.Time) time.Duration) {
	type reply struct {
		at   time.Time
		took time.Duration
	}
	var replies []reply
	stop := observe(t, func() {
		for _, b := range running(p) {
			start := time.Now()
			if b.ask(time.Second) == nil {
				replies = append(replies, reply{time.Now(), time.Since(start)})
			}
		}
	})
	return func(since time.Time) (most time.Duration) {
		stop()
		for _, r := range replies {
			if r.at.After(since) {
				most = max(most, r.took)
			}
		}
		return most
	}
}

// happen strikes a tab under a lease, and returns when that was, and how long
// after it the lease ended.
func (d *disaster) happen(t *testing.T, p *Pool, url string) (since time.Time, took time.Duration) {
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
		return since, 0
	}
	took = time.Since(since)
	var lost *LostError
	require.ErrorAs(t, err, &lost)
	require.ErrorIs(t, err, d.lost)
	require.Equal(t, d.lost == ErrTabCrashed, errors.Is(err, pool.ErrBadResource))
	return since, took
}
