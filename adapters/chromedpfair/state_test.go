//go:build unix

package chromedpfair

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/debugger"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// browsers are those to test both kinds with: the shell, which has no windows,
// and the full one. Each says where it is, or skips the test.
func browsers(t testing.TB) map[string]func(testing.TB) string {
	long(t)
	if *program != "" {
		return map[string]func(testing.TB) string{"given": browserOrSkip}
	}
	return map[string]func(testing.TB) string{
		"shell": browserOrSkip,
		"full": func(t testing.TB) string {
			return throwaway.ProgramFor(t, "chromium", func() (string, error) { return exec.LookPath(fullBrowser) })
		},
	}
}

// scale is how much of something a test does with the browser of the
// configuration: the full one takes several times as long.
func (c *Config) scale(small, whole int) int {
	if c.costly() {
		small /= 4
	}
	return scale(small, whole)
}

// costly reports whether a test is to do less with the browser.
func (c *Config) costly() bool { return c.ExecPath == fullBrowser && !*full && *program == "" }

const fullBrowser = "/usr/lib/chromium/chromium"

// inBothModes runs a test for each browser, with fresh tabs and kept ones; but
// fresh ones of the full browser, which cost the most and promise the least that
// is not true of the shell, only when told to.
func inBothModes(t *testing.T, test func(t *testing.T, cfg Config)) {
	for name, find := range browsers(t) {
		for _, reuse := range []bool{false, true} {
			if name == "full" && !reuse && !*full {
				continue
			}
			t.Run(fmt.Sprintf("%s, ReuseSameTenant %v", name, reuse), func(t *testing.T) {
				test(t, Config{ExecPath: find(t), ReuseSameTenant: reuse})
			})
		}
	}
}

// look tells all that a lease could have set for a page, as the page sees it.
const look = `(async () => {
	const within = (what, ms) => Promise.race([what, new Promise(done => setTimeout(() => done("no answer"), ms))])
	const text = url => within(fetch(url).then(r => r.text(), () => "no text"), 20000)
	let fastest = Infinity
	for (let i = 0; i < 30; i++) {
		const start = performance.now()
		for (let j = 0, sum = 0; j < 3e5; j++) sum += j
		fastest = Math.min(fastest, performance.now() - start)
	}
	const inline = document.createElement("script")
	inline.textContent = "window.inline = true"
	document.head.append(inline)
	return JSON.stringify({
		agent: navigator.userAgent, size: [innerWidth, innerHeight, devicePixelRatio, visualViewport.scale],
		zone: Intl.DateTimeFormat().resolvedOptions().timeZone, language: navigator.language, number: (1.5).toLocaleString(),
		media: [matchMedia("print").matches, matchMedia("(prefers-color-scheme: dark)").matches],
		injected: typeof injected, exposed: typeof exposed, history: history.length, name: window.name,
		headers: await text("/headers"), blocked: await text("/blocked"), ran: typeof ran, inline: typeof inlineRan, csp: typeof window.inline,
		online: navigator.onLine, touch: navigator.maxTouchPoints, cores: navigator.hardwareConcurrency, slow: fastest > 4,
		clock: Math.abs(Date.now() - %d) < 600000, opener: typeof opener, full: !!document.fullscreenElement,
		place: await within(new Promise(done => navigator.geolocation.getCurrentPosition(p => done(p.coords.latitude), e => done("none"), {timeout: 300})), 20000),
	})
})()`

// watched is a site that tells what was asked of it.
func watched(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "script-src 'self'")
		io.WriteString(w, "<!DOCTYPE html><title>watched</title><script src=/ran.js></script><button>press</button>")
	})
	mux.HandleFunc("/ran.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		io.WriteString(w, "window.ran = true")
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("X-Left"), r.Header.Get("Accept-Language"), r.Header.Get("User-Agent"))
	})
	mux.HandleFunc("/blocked", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "not blocked") })
	mux.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/loot", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", "attachment; filename=loot.bin")
		w.Write(make([]byte, 1000))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// A mark is something that a lease sets on its tab.
type mark func(ctx context.Context, url string) error

func command[P, R any](cmd cdp.Command[P, R], params P) mark {
	return func(ctx context.Context, _ string) error { _, err := chromedp.Call(ctx, cmd, params); return err }
}

func ptr[T any](v T) *T { return &v }

func marks(all ...mark) mark {
	return func(ctx context.Context, url string) error {
		for _, m := range all {
			if err := m(ctx, url); err != nil {
				return err
			}
		}
		return nil
	}
}

func runs(js string) mark {
	return func(ctx context.Context, _ string) error { _, err := script(ctx, js); return err }
}

var kindsOfState = map[string]mark{
	"nothing":        runs("''"),
	"headers":        command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"X-Left": "left"}}),
	"user agent":     command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "left", AcceptLanguage: "fr"}),
	"viewport":       command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 321, Height: 432, DeviceScaleFactor: 3, Mobile: true}),
	"window":         runs("resizeTo(444, 333); ''"),
	"page scale":     command(emulation.SetPageScaleFactor, emulation.SetPageScaleFactorParams{PageScaleFactor: 3}),
	"timezone":       command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"}),
	"locale":         command(emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "de_DE"}),
	"geolocation":    command(emulation.SetGeolocationOverride, emulation.SetGeolocationOverrideParams{Latitude: ptr(12.5), Longitude: ptr(5.5), Accuracy: ptr(1.0)}),
	"media":          command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}),
	"touch":          command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 5}),
	"cores":          command(emulation.SetHardwareConcurrencyOverride, emulation.SetHardwareConcurrencyOverrideParams{HardwareConcurrency: 77}),
	"slow processor": command(emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 20}),
	"no scripts":     command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}),
	"no policy":      command(cdppage.SetBypassCSP, cdppage.SetBypassCSPParams{Enabled: true}),
	"blocked URLs":   command(network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/blocked", Block: true}}}),
	"interception":   command(fetch.Enable, fetch.EnableParams{}),
	"offline": command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: true, DownloadThroughput: -1, UploadThroughput: -1}},
	}),
	"injected script": command(cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: "var injected = true"}),
	"exposed function": func(ctx context.Context, url string) error {
		f := func(context.Context, string) (string, error) { return "left", nil }
		return chromedp.Do(ctx, chromedp.ExposeFunc("exposed", f), chromedp.Navigate(url))
	},
	"breakpoint": marks(command(debugger.Enable, debugger.EnableParams{}), command(debugger.Pause, cdp.Empty{}), func(ctx context.Context, _ string) error {
		_ = briefly(ctx, "1 + 1")
		return nil
	}),
	"frozen":           command(cdppage.SetWebLifecycleState, cdppage.SetWebLifecycleStateParams{State: cdppage.SetWebLifecycleStateStateFrozen}),
	"clock stopped":    command(emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: emulation.VirtualTimePolicyPause}),
	"clock runs ahead": command(emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: emulation.VirtualTimePolicyAdvance, Budget: ptr(1e7)}),
	"clock set":        command(emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: emulation.VirtualTimePolicyPauseIfNetworkFetchesPending, InitialVirtualTime: 1e9}),
	"name":             runs("window.name = 'left'"),
	"history": func(ctx context.Context, url string) error {
		return chromedp.Do(ctx, chromedp.Navigate(url+"/2"), chromedp.Navigate(url+"/3"))
	},
	"history of a page": runs("for (let i = 0; i < 60; i++) history.pushState(i, '', '?' + i); ''"),
	"endless history":   runs("setInterval(() => history.pushState(1, '', '?' + Math.random()), 1); ''"),
	"alert":             func(ctx context.Context, _ string) error { _ = briefly(ctx, "alert('left')"); return nil },
	"alert again":       runs("setInterval(() => alert('left'), 1); ''"),
	"page that won't load": func(ctx context.Context, url string) error {
		_ = briefly(ctx, "location = '/never'; new Promise(() => {})")
		return nil
	},
	"full screen": func(ctx context.Context, _ string) error {
		if _, err := script(ctx, "document.querySelector('button').onclick = () => document.documentElement.requestFullscreen(); ''"); err != nil {
			return err
		}
		return chromedp.Do(ctx, chromedp.Click(chromedp.CSS("button")))
	},
	"popups": runs("open('/popup'); open('/popup', '_blank', 'noopener'); ''"),
}

// A tab that a tenant has again is like one that nobody has used, whatever was
// set on it, and so is that of another tenant.
func TestWhatALeaseSetsOnItsTabEndsWithIt(t *testing.T) {
	inBothModes(t, func(t *testing.T, cfg Config) {
		url := watched(t)
		cfg.TabsPerBrowser, cfg.Prewarm = 12, 2
		cfg.Sharing.Default.Max = 1 // so that a tenant waits for the tab that it had
		p := newPool(t, cfg)
		saw := func(tenant string, sets mark) (seen, target string) {
			err := p.DoTab(within(t, time.Minute), tenant, func(ctx context.Context, tab *Tab) (err error) {
				if at, err := chromedp.Run(ctx, chromedp.Location()); err != nil || at != blank {
					return fmt.Errorf("the page is %q: %w", at, err)
				}
				target = string(tab.page.target)
				if err := grant(ctx, tab, "geolocation"); err != nil {
					return err
				}
				if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
					return err
				}
				if sets != nil {
					return sets(ctx, url)
				}
				seen, err = script(ctx, fmt.Sprintf(look, time.Now().UnixMilli()))
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", tenant, err)
			}
			return seen, target
		}
		unused, _ := saw("first", nil)
		t.Log(unused)
		var kept atomic.Int64
		names := make(chan string)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				for name := range names {
					_, before := saw(name, kindsOfState[name])
					again, after := saw(name, nil)
					if before == after {
						kept.Add(1)
					}
					require.JSONEq(t, unused, again, "%s: for the tenant itself", name)
					if !cfg.costly() {
						other, _ := saw("another after "+name, nil)
						require.JSONEq(t, unused, other, "%s: for another", name)
					}
				}
			})
		}
		tried := 0
		for name := range kindsOfState { // in no order
			if tried++; tried > len(kindsOfState)/3 && !*full && (cfg.costly() || !cfg.ReuseSameTenant) {
				break // another time others are tried
			}
			names <- name
		}
		close(names)
		group.Wait()
		t.Logf("%d of %d tabs were kept", kept.Load(), tried)
		if cfg.ReuseSameTenant {
			require.Greater(t, int(kept.Load()), tried/3)
		}
		require.Zero(t, p.Browsers().Died+p.Browsers().Hung)
	})
}

func grant(ctx context.Context, tab *Tab, names ...string) error {
	for _, name := range names {
		if _, err := chromedp.CallBrowser(ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
			Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: cdpbrowser.PermissionSettingGranted, BrowserContextID: tab.BrowserContext(),
		}); err != nil {
			return err
		}
	}
	return nil
}

// asUser runs JavaScript as if a user had clicked.
func asUser(ctx context.Context, tab *Tab, js string) (result string, err error) {
	err = tab.page.current().evaluate(ctx, js, &result)
	return result, err
}

func TestATenantFindsNothingOfAnotherInTheClipboard(t *testing.T) {
	inBothModes(t, func(t *testing.T, cfg Config) {
		url := site(t)
		cfg.TabsPerBrowser = 2
		p := newPool(t, cfg)
		granted := make(map[string]bool) // which the browser context of a tenant remembers
		visit := func(tenant, js string) (result string) {
			err := p.DoTab(within(t, time.Minute), tenant, func(ctx context.Context, tab *Tab) (err error) {
				if err = chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
					return err
				}
				if result, err = asUser(ctx, tab, "navigator.clipboard.readText().catch(e => e.name)"); err != nil {
					return err
				}
				if result != "NotAllowedError" && !(cfg.ReuseSameTenant && granted[tenant]) {
					return fmt.Errorf("a page may read the clipboard, and finds %q", result)
				}
				if err := grant(ctx, tab, "clipboard-read", "clipboard-write"); err != nil {
					return err
				}
				granted[tenant] = true
				result, err = asUser(ctx, tab, js)
				return err
			})
			require.NoError(t, err)
			return result
		}
		const read = "navigator.clipboard.readText()"
		write := func(s string) string { return fmt.Sprintf("navigator.clipboard.writeText(%q).then(() => '')", s) }
		for range scale(1, 3) {
			visit("a", write("a's"))
			require.Empty(t, visit("b", read))
			visit("b", "document.body.innerText = \"b's\"; getSelection().selectAllChildren(document.body); String(document.execCommand('copy'))")
			require.Empty(t, visit("a", read))
		}
	})
}

// What a lease allows to be downloaded the next one may not.
func TestAPermissionToDownloadEndsWithItsLease(t *testing.T) {
	inBothModes(t, func(t *testing.T, cfg Config) {
		url := watched(t)
		p := newPool(t, cfg)
		folder := t.TempDir()
		loot := filepath.Join(folder, "loot.bin")
		visit := func(tenant string, allow bool) {
			err := p.DoTab(within(t, time.Minute), tenant, func(ctx context.Context, tab *Tab) error {
				if allow {
					if err := tab.AllowDownloads(ctx, folder); err != nil {
						return err
					}
				}
				if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
					return err
				}
				if _, err := script(ctx, "location = '/loot'; ''"); err != nil || !allow {
					return err
				}
				for ctx.Err() == nil {
					if info, err := os.Stat(loot); err == nil && info.Size() == 1000 {
						return nil
					}
					_ = chromedp.Do(ctx, chromedp.Sleep(5*time.Millisecond))
				}
				return ctx.Err()
			})
			require.NoError(t, err)
		}
		visit("a", true)
		require.NoError(t, os.Remove(loot))
		for _, tenant := range []string{"a", "b", "a"} {
			visit(tenant, false)
		}
		require.NoError(t, p.Do(within(t, time.Minute), "c", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Sleep(patience/2)) }))
		left, err := os.ReadDir(folder)
		require.NoError(t, err)
		require.Empty(t, left)
	})
}
