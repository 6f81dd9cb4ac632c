//go:build unix

package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// keptTabs runs a test with kept tabs of each browser.
func keptTabs(t *testing.T, test func(t *testing.T, cfg Config)) {
	for name, find := range browsers(t) {
		t.Run(name, func(t *testing.T) { test(t, Config{ExecPath: find(t), ReuseSameTenant: true}) })
	}
}

// parallel calls f n times, in so many goroutines.
func parallel(workers, n int, f func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				f(i)
			}
		})
	}
	group.Wait()
}

// Chromedp finds nodes by numbers that change with the document. A tab that is
// handed out while it still loads one has them change under its new lease.
func TestOrdinaryCodeRunsInKeptTabs(t *testing.T) {
	keptTabs(t, func(t *testing.T, cfg Config) {
		url := site(t)
		cfg.TabsPerBrowser = 3
		p := newPool(t, cfg)
		jobs := cfg.scale(60, 1000)
		parallel(4, jobs, func(i int) {
			var text, outer, title string
			err := p.Do(within(t, time.Minute), "a", func(ctx context.Context) (err error) {
				if err = chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
					return err
				}
				if text, err = chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body"))); err != nil {
					return err
				}
				if title, err = chromedp.Run(ctx, chromedp.Title()); err != nil || i%2 == 0 {
					return err
				}
				outer, err = chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS("html")))
				return err
			})
			if err != nil || text != "hello" || title != "/" || i%2 == 1 && len(outer) < 20 {
				t.Errorf("job %d: %q %q %q: %v", i, text, title, outer, err)
			}
		})
		require.Less(t, int(p.Stats().Built), 3+jobs/10, "tabs are not kept")
	})
}

// members is a site where one logs in.
func members(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "member", Value: r.FormValue("name"), Path: "/"})
		io.WriteString(w, "welcome")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		name := "nobody"
		if c, err := r.Cookie("member"); err == nil {
			name = c.Value
		}
		fmt.Fprintf(w, "<!DOCTYPE html><p>%s", name)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// said returns what a page of the site says to a tenant.
func said(t *testing.T, p *Pool, tenant, url string) (text string) {
	err := p.Do(within(t, time.Minute), tenant, func(ctx context.Context) (err error) {
		if err = chromedp.Do(ctx, chromedp.Navigate(url)); err == nil {
			text, err = chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
		}
		return err
	})
	if err != nil {
		t.Errorf("%s: %v", tenant, err)
	}
	return text
}

func TestATenantThatHasLoggedInOnceIsLoggedInEverAfter(t *testing.T) {
	keptTabs(t, func(t *testing.T, cfg Config) {
		url := members(t)
		cfg.Browsers, cfg.TabsPerBrowser = 2, 3
		p := newPool(t, cfg)
		tenants := []string{"a", "b", "c", "stranger"}
		for _, tenant := range tenants[:3] {
			said(t, p, tenant, url+"/login?name="+tenant)
		}
		var in [4]atomic.Int64
		leases := cfg.scale(100, 400) / 4 * 4
		parallel(6, leases, func(i int) { // more at once than there are tabs
			tenant := tenants[i%4]
			switch text := said(t, p, tenant, url); {
			case text == tenant:
				in[i%4].Add(1)
			case text != "nobody" || i%4 < 3:
				t.Errorf("%s is %q", tenant, text)
			}
		})
		for i, tenant := range tenants[:3] {
			require.EqualValues(t, leases/4, in[i].Load(), tenant)
		}
		parallel(6, 6, func(int) { said(t, p, "a", url) }) // one tenant may have all tabs
		require.Equal(t, 4, p.Browsers().Contexts)
		p.Resize(0)
		eventually(t, "no tab is left", func() bool { return p.Stats().Warm == 0 && p.Stats().Destroying == 0 })
		p.Resize(6)
		require.Equal(t, "a", said(t, p, "a", url), "the login goes with the last tab")
	})
}

func TestTheContextThatIsUnusedForLongestMakesWay(t *testing.T) {
	url := members(t)
	p := newPool(t, Config{ReuseSameTenant: true, MaxContexts: 3, TabsPerBrowser: 1})
	logIn := func(tenants ...string) {
		for _, tenant := range tenants {
			said(t, p, tenant, url+"/login?name="+tenant)
		}
	}
	logIn("a", "b", "c")
	require.Equal(t, "a", said(t, p, "a", url))
	logIn("d")
	require.Equal(t, "a", said(t, p, "a", url))
	require.Equal(t, "nobody", said(t, p, "b", url))
	require.Equal(t, "a", said(t, p, "a", url))
	require.Equal(t, 3, p.Browsers().Contexts)
	require.EqualValues(t, 2, p.Browsers().Evicted)
	parallel(2, scale(20, 200), func(i int) { said(t, p, fmt.Sprint("passer-by ", i), url) })
	require.Equal(t, 3, p.Browsers().Contexts)
	nothingLost(t, p)
}

func TestATenantBeginsAnewWhenItsBrowserIsReplaced(t *testing.T) {
	url := members(t)
	p := newPool(t, Config{ReuseSameTenant: true})
	said(t, p, "a", url+"/login?name=a")
	killGroup(p.Browsers().Running[0].PID)
	eventually(t, "it has died", func() bool { return p.Browsers().Died == 1 })
	require.Equal(t, "nobody", said(t, p, "a", url))
	said(t, p, "a", url+"/login?name=a")
	err := p.DoTab(within(t, time.Minute), "a", func(ctx context.Context, tab *Tab) error {
		_, _ = chromedp.CallBrowser(ctx, target.DisposeBrowserContext, target.DisposeBrowserContextParams{BrowserContextID: tab.BrowserContext()})
		<-ctx.Done()
		return context.Cause(ctx)
	})
	require.ErrorIs(t, err, ErrTabClosed)
	eventually(t, "it has another browser context", func() bool { // for a moment it still gets a tab in that one
		return p.Do(within(t, time.Minute), "a", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(url)) }) == nil
	})
	require.Equal(t, "nobody", said(t, p, "a", url))
	nothingLost(t, p)
}

// No page goes on that nobody has leased, whatever it does to that end.
func TestNoPopupOutlivesItsLease(t *testing.T) {
	keptTabs(t, func(t *testing.T, cfg Config) {
		const most = 40
		var loads atomic.Int64
		mux := http.NewServeMux()
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "calm") })
		mux.HandleFunc("/more", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if loads.Add(1) > most { // enough is enough, where they do escape
				return
			}
			io.WriteString(w, "<!DOCTYPE html><script>setInterval(() => open('/more', '_blank', Math.random() < .5 ? 'noopener' : ''), 100)</script>")
		})
		server := httptest.NewServer(mux)
		t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
		cfg.TabsPerBrowser = 2
		p := newPool(t, cfg)
		for range cfg.scale(4, 16) {
			loads.Store(0)
			err := p.DoTab(within(t, time.Minute), "a", func(ctx context.Context, tab *Tab) error { // beside another tab of the tenant
				if err := chromedp.Do(ctx, chromedp.Navigate(server.URL)); err != nil {
					return err
				}
				own, cancel := chromedp.NewContext(ctx) // a tab that the code has opened is its own
				defer cancel()
				if err := chromedp.Do(own, chromedp.Navigate(server.URL)); err != nil {
					return err
				}
				err := p.DoTab(ctx, "a", func(ctx context.Context, tab *Tab) error {
					if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/more")); err != nil {
						return err
					}
					for loads.Load() < 5 && ctx.Err() == nil {
						_ = chromedp.Do(ctx, chromedp.Sleep(10*time.Millisecond))
					}
					return ctx.Err()
				})
				if err != nil {
					return err
				}
				eventually(t, "the tab is cleaned", func() bool {
					return p.Stats().Destroying+p.Browsers().Cleaning+p.Browsers().Running[0].Closing == 0
				})
				loads.Store(0)
				for before := int64(-1); before != loads.Load(); { // what was asked for before may still come
					if before = loads.Load(); before > most {
						return errors.New("pages are loaded that nobody has leased")
					}
					_ = chromedp.Do(ctx, chromedp.Sleep(300*time.Millisecond)) // in which each would open three
				}
				if text, err := chromedp.Run(own, chromedp.Text(chromedp.CSS("body"))); err != nil || text != "calm" {
					return fmt.Errorf("a tab of another lease shows %q: %w", text, err)
				}
				// Its tab, that of its code, and the other unless it was given up.
				require.LessOrEqual(t, len(pagesOf(t, tab.page.browser, tab.BrowserContext())), 3)
				return nil
			})
			require.NoError(t, err)
		}
		nothingLost(t, p)
	})
}

// What a lease has its page do costs the next one a second at most.
func TestTheNextLeaseWaitsForNoPage(t *testing.T) {
	keptTabs(t, func(t *testing.T, cfg Config) {
		url := site(t)
		cfg.TabsPerBrowser = 2
		cfg.Sharing.Default.Max = 1 // so that the next lease waits for the tab of this one
		p := newPool(t, cfg)
		leaves := map[string]func(ctx context.Context) error{
			"a page": func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(url)) },
			"an endless page": func(ctx context.Context) error {
				if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
					return err
				}
				_, err := script(ctx, "setTimeout(() => { for (;;); }, 10); ''")
				return err
			},
			"an endless popup": func(ctx context.Context) error {
				if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
					return err
				}
				_, err := script(ctx, "open('/endless'); ''")
				_ = chromedp.Do(ctx, chromedp.Sleep(patience/4))
				return err
			},
			"a popup with an alert": func(ctx context.Context) error {
				if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
					return err
				}
				_, err := script(ctx, "open('/').eval('setTimeout(() => alert(1), 10)'); ''")
				_ = chromedp.Do(ctx, chromedp.Sleep(patience/4))
				return err
			},
			"an alert, then another page": func(ctx context.Context) error {
				if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
					return err
				}
				_ = briefly(ctx, "alert('wait for me')")
				_ = briefly(ctx, "1")
				brief, cancel := context.WithTimeout(ctx, patience/2)
				defer cancel()
				_ = chromedp.Do(brief, chromedp.Navigate(url+"/?2"))
				return nil
			},
			"a page that does not want to be left": func(ctx context.Context) error {
				return chromedp.Do(ctx, chromedp.Navigate(url+"/unload"), chromedp.Click(chromedp.CSS("p")))
			},
		}
		for name, leave := range leaves {
			require.NoError(t, p.Do(within(t, time.Minute), "a", leave), name)
			start := time.Now()
			var waited time.Duration
			ask := questions(t, p)
			require.NoError(t, p.Do(within(t, time.Minute), "a", func(context.Context) error { waited = time.Since(start); return nil }))
			late := ask(start)
			t.Logf("after %s the next lease waits %v; a browser answers within %v", name, waited.Round(time.Millisecond), late.Round(time.Millisecond))
			require.Less(t, waited, 2*time.Second+10*late)
		}
		require.NoError(t, p.SetShare("everybody", fairshare.Share{Max: 2}))
		nothingLost(t, p)
	})
}

func TestATabWhoseLeaseHasFailedIsNotKept(t *testing.T) {
	p := newPool(t, Config{ReuseSameTenant: true, TabsPerBrowser: 1})
	var targets []target.ID
	lease := func(fn func(ctx context.Context) error) error {
		ctx, cancel := context.WithTimeout(within(t, time.Minute), time.Minute)
		defer cancel()
		return p.DoTab(ctx, "a", func(ctx context.Context, tab *Tab) error {
			targets = append(targets, tab.page.target)
			return fn(ctx)
		})
	}
	well := func(context.Context) error { return nil }
	require.NoError(t, lease(well))
	require.NoError(t, lease(well))
	require.Equal(t, targets[0], targets[1])
	oops := errors.New("oops")
	require.ErrorIs(t, lease(func(context.Context) error { return oops }), oops)
	require.NoError(t, lease(well))
	require.NotEqual(t, targets[2], targets[3])

	l, err := p.Acquire(within(t, time.Minute), "a") // without Do
	require.NoError(t, err)
	require.Equal(t, targets[3], l.Value().page.target)
	ctx, cancel := context.WithCancel(t.Context())
	_, done := l.Value().Context(ctx)
	cancel()
	done()
	done()
	l.Release()
	require.NoError(t, lease(well))
	require.NotEqual(t, targets[3], targets[4])
	nothingLost(t, p)
}
