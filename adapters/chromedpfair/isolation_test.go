package chromedpfair

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// leaveTraces stores the name of the tenant wherever a page can, and returns
// what was there before.
const leaveTraces = `(async () => {
	const open = () => new Promise((done, failed) => {
		const request = indexedDB.open("traces", 1)
		request.onupgradeneeded = () => request.result.createObjectStore("names")
		request.onsuccess = () => done(request.result)
		request.onerror = () => failed(request.error)
	})
	const ask = request => new Promise((done, failed) => {
		request.onsuccess = () => done(request.result)
		request.onerror = () => failed(request.error)
	})
	const db = await open()
	const names = mode => db.transaction("names", mode).objectStore("names")
	const cache = await caches.open("traces")
	const registered = await navigator.serviceWorker.getRegistrations()
	const cached = await cache.match("/trace")
	const found = [
		document.cookie.replace("name=", ""),
		localStorage.getItem("name") || "",
		sessionStorage.getItem("name") || "",
		window.name,
		await ask(names("readonly").get("name")) || "",
		cached ? await cached.text() : "",
		registered.map(r => new URL(r.scope).pathname.slice(1)).join(),
		(await navigator.permissions.query({name: "geolocation"})).state,
	]
	const name = %q
	document.cookie = "name=" + name + ";max-age=3600"
	localStorage.setItem("name", name)
	sessionStorage.setItem("name", name)
	window.name = name
	await ask(names("readwrite").put(name, "name"))
	await cache.put("/trace", new Response(name))
	await navigator.serviceWorker.register("/sw.js", {scope: "/" + name})
	db.close()
	return JSON.stringify(found)
})()`

// traces are found by one lease.
type traces struct {
	tenant string
	found  string // JSON
	login  string // status of a page that wants one, without giving any
}

// leave visits the site as the tenant and leaves a trace of every kind.
func leave(ctx context.Context, url, tenant string) (traces, error) {
	tr := traces{tenant: tenant}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return tr, err
	}
	var err error
	if tr.found, err = script(ctx, fmt.Sprintf(leaveTraces, tenant)); err != nil {
		return tr, err
	}
	const login = "fetch('/auth').then(r => r.text().then(text => r.status + text))"
	if tr.login, err = script(ctx, login); err != nil {
		return tr, err
	}
	if _, err = chromedp.CallBrowser(ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
		Permission:       &cdpbrowser.PermissionDescriptor{Name: "geolocation"},
		Setting:          cdpbrowser.PermissionSettingGranted,
		BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
	}); err != nil {
		return tr, err
	}
	return tr, logIn(ctx, url, tenant)
}

// logIn has the browser remember a name for HTTP authentication.
func logIn(ctx context.Context, url, tenant string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	on := true
	if err := chromedp.Listen(ctx, func(event any) {
		switch event := event.(type) {
		case *fetch.EventAuthRequired:
			go chromedp.Call(ctx, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{
				RequestID: event.RequestID,
				AuthChallengeResponse: &fetch.AuthChallengeResponse{
					Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: tenant, Password: "secret",
				},
			})
		case *fetch.EventRequestPaused:
			go chromedp.Call(ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: event.RequestID})
		}
	}); err != nil {
		return err
	}
	if _, err := chromedp.Call(ctx, fetch.Enable, fetch.EnableParams{HandleAuthRequests: &on}); err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(url+"/auth")); err != nil {
		return err
	}
	if user, err := script(ctx, "document.body.innerText"); err != nil || user != tenant {
		return fmt.Errorf("logged in as %q: %w", user, err)
	}
	_, err := chromedp.Call(ctx, fetch.Disable, cdp.Empty{})
	return err
}

// none is what a tab that nobody has used finds.
const none = `["","","","","","","","prompt"]`

func TestNoTenantMeetsAnother(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		t.Run(fmt.Sprintf("ReuseSameTenant %v", reuse), func(t *testing.T) {
			url := site(t)
			seed := rand.Uint64()
			t.Log("seed", seed)
			p := newPool(t, Config{Browsers: 2, TabsPerBrowser: 3, ReuseSameTenant: reuse, Retire: Retire{MaxTabsServed: scale(15, 200)}})
			var mu sync.Mutex
			var all []traces
			orders := make(chan string)
			var workers sync.WaitGroup
			for range 8 {
				workers.Go(func() {
					for tenant := range orders {
						var tr traces
						err := p.Do(within(t, time.Minute), tenant, func(ctx context.Context) (err error) {
							tr, err = leave(ctx, url, tenant)
							return err
						})
						mu.Lock()
						if err != nil {
							t.Errorf("%s: %v", tenant, err)
						}
						all = append(all, tr)
						mu.Unlock()
					}
				})
			}
			random := rand.New(rand.NewPCG(seed, 0))
			leases, tenants := scale(40, 1000), scale(8, 20) // few enough that some come back in time
			for range leases {
				orders <- fmt.Sprintf("tenant-%02d", random.IntN(tenants))
			}
			close(orders)
			workers.Wait()
			require.Len(t, all, leases)
			again := 0
			for _, tr := range all {
				if !reuse {
					require.Equal(t, none, tr.found)
					require.Equal(t, "401", tr.login)
					continue
				}
				if tr.found != none {
					again++
				}
				requireOwn(t, tr)
			}
			t.Logf("%d leases, %d of them with a kept tab", leases, again)
			if reuse {
				require.Positive(t, again)
			}
			require.Zero(t, p.Stats().PrepareFailures, "a tab was about to serve a second tenant")
		})
	}
}

// requireOwn requires that a tenant with kept tabs has found nothing but what it
// had left itself. What that is depends on what its other leases were at; the
// name of the window goes with each of them.
func requireOwn(t *testing.T, tr traces) {
	var found []string
	require.NoError(t, json.Unmarshal([]byte(tr.found), &found))
	for i, trace := range found[:7] {
		require.Contains(t, []string{"", tr.tenant}, trace, "trace %d of %s", i, tr.found)
	}
	require.Empty(t, found[3], "the name of the window")
	require.Contains(t, []string{"prompt", "granted"}, found[7])
	require.Contains(t, []string{"401", "200" + tr.tenant}, tr.login)
}

func TestATabServesNoSecondTenantWhateverThePoolDoes(t *testing.T) {
	once := &Tab{set: &browserSet{cfg: new(Config)}}
	require.NoError(t, once.admit("a"))
	require.ErrorContains(t, once.admit("a"), `has served tenant "a" before`)
	require.ErrorContains(t, once.admit("b"), `has served tenant "a" before "b"`)

	kept := &Tab{set: &browserSet{cfg: &Config{ReuseSameTenant: true}}}
	require.NoError(t, kept.admit(""))
	require.NoError(t, kept.admit(""))
	require.ErrorContains(t, kept.admit("b"), `has served tenant "" before "b"`)
}
