package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A load is tenants that load pages for as long as the test wants.
type load struct {
	pages atomic.Int64
	lost  atomic.Int64 // with their browser

	stop   context.CancelFunc
	group  sync.WaitGroup
	mu     sync.Mutex
	faults []error // what should not have happened
}

func startLoad(t testing.TB, p *Pool, url string, tenants int) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop}
	for i := range tenants {
		l.group.Go(func() {
			for ctx.Err() == nil {
				l.page(p, fmt.Sprint("load-", i), url)
			}
		})
	}
	t.Cleanup(stop)
	return l
}

func (l *load) page(p *Pool, tenant, url string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := p.Do(ctx, tenant, func(ctx context.Context) error {
		return chromedp.Do(ctx, chromedp.Navigate(url+"/slow?ms=20"))
	})
	switch {
	case err == nil:
		l.pages.Add(1)
	case errors.Is(err, ErrBrowserDied), errors.Is(err, ErrBrowserHung), errors.Is(err, ErrBrowserRetired):
		l.lost.Add(1)
	default:
		l.mu.Lock()
		l.faults = append(l.faults, fmt.Errorf("%s: %w", tenant, err))
		l.mu.Unlock()
	}
}

// progress waits until the tenants have loaded so many more pages.
func (l *load) progress(t testing.TB, pages int64) {
	since := l.pages.Load()
	eventually(t, "pages are loaded", func() bool { return l.pages.Load() >= since+pages })
}

// end stops the load and requires that nothing went wrong but what has to.
func (l *load) end(t testing.TB) {
	l.stop()
	l.group.Wait()
	require.Empty(t, l.faults)
}

// nothingLost requires that, with nobody at work, every slot can be leased, and
// that the browsers hold no page, browser context or popup beside the fresh
// ones, and there is one profile for each.
func nothingLost(t testing.TB, p *Pool) {
	t.Helper()
	var leases []interface{ Release() }
	for range p.Stats().Capacity {
		lease, err := p.Acquire(within(t, time.Minute), "everybody")
		require.NoError(t, err)
		leases = append(leases, lease)
	}
	require.Equal(t, p.Stats().Capacity, p.Stats().Leased)
	for _, l := range leases {
		l.Release()
	}
	kept, ready := 0, 0
	defer func() {
		if t.Failed() {
			t.Logf("tabs %+v\nbrowsers %+v", p.Stats(), p.Browsers())
		}
	}()
	eventually(t, "the browsers are at rest", func() bool {
		kept, ready = 0, 0
		for _, b := range p.Browsers().Running {
			full := b.Leased >= p.browsers.cfg.TabsPerBrowser // with tabs of tenants that are at home there
			if b.State != string(serving) || b.Opening+b.Closing > 0 || b.Ready != p.browsers.cfg.Prewarm && !full {
				return false
			}
			kept += b.Leased
			ready += b.Ready
		}
		stats := p.Stats()
		return stats.InUse+stats.Destroying+p.Browsers().Cleaning == 0 && stats.Warm >= kept // some may not have a page
	})
	browsers := running(p)
	for _, b := range browsers {
		found, err := cdp.Call(within(t, time.Minute), b.conn, target.GetBrowserContexts, cdp.Empty{})
		require.NoError(t, err)
		for _, id := range found.BrowserContextIDs {
			for _, url := range pagesOf(t, b, id) {
				require.Equal(t, blank, url, "page left behind")
			}
		}
	}
	require.Equal(t, ready+p.Browsers().Contexts, contextsOf(t, browsers), "browser contexts")
	if root := p.browsers.cfg.ProfileRoot; root != "" {
		profiles, err := os.ReadDir(root)
		require.NoError(t, err)
		require.Len(t, profiles, len(browsers), "profiles")
	}
}

func running(p *Pool) []*browser {
	p.browsers.mu.Lock()
	defer p.browsers.mu.Unlock()
	return append([]*browser(nil), p.browsers.browsers...)
}

// pagesOf returns the URLs of the pages in a browser context.
func pagesOf(t testing.TB, b *browser, id cdp.BrowserContextID) (urls []string) {
	targets, err := chromedp.Targets(b.ctx)
	require.NoError(t, err)
	for _, info := range targets {
		if info.Type == "page" && info.BrowserContextID == id {
			urls = append(urls, info.URL)
		}
	}
	return urls
}

// contextsOf returns how many browser contexts the browsers have.
func contextsOf(t testing.TB, browsers []*browser) (n int) {
	for _, b := range browsers {
		found, err := cdp.Call(within(t, time.Minute), b.conn, target.GetBrowserContexts, cdp.Empty{})
		require.NoError(t, err)
		n += len(found.BrowserContextIDs)
	}
	return n
}
