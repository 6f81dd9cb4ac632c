//go:build unix

package chromedpfair

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// wares is a site that tells what a browser asked it, and has a file to save.
func wares(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!DOCTYPE html><p>%s|%s", r.UserAgent(), r.Header.Get("Accept-Language"))
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", "attachment; filename=ware")
		io.WriteString(w, "a ware")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// likes is what a page tells about the options in force.
const likes = `[
	document.body.innerText, navigator.userAgent, navigator.language, (1234.5).toLocaleString(),
	Intl.DateTimeFormat().resolvedOptions().timeZone, innerWidth, innerHeight, devicePixelRatio,
].join("|")`

func TestTheTabsOfATenantAreAsItsOptionsSay(t *testing.T) {
	inBothModes(t, func(t *testing.T, cfg Config) {
		url := wares(t)
		folder := t.TempDir()
		cfg.TabsPerBrowser = 2
		cfg.Context = func(tenant string) ContextOptions {
			switch tenant {
			case "swiss":
				return ContextOptions{UserAgent: "clock/1", AcceptLanguage: "de-CH", Locale: "de_CH", Timezone: "Europe/Zurich", Width: 700, Height: 500, Scale: 2}
			case "japanese":
				return ContextOptions{AcceptLanguage: "ja", Timezone: "Asia/Tokyo", DownloadPath: folder}
			}
			return ContextOptions{}
		}
		p := newPool(t, cfg)
		visit := func(tenant string, more func(ctx context.Context) error) (saw string) {
			err := p.Do(within(t, time.Minute), tenant, func(ctx context.Context) (err error) {
				if err = chromedp.Do(ctx, chromedp.Navigate(url)); err == nil {
					saw, err = script(ctx, likes)
				}
				if err == nil && more != nil {
					err = more(ctx)
				}
				return err
			})
			require.NoError(t, err, tenant)
			return saw
		}
		plain := visit("plain", nil)
		swiss := visit("swiss", func(ctx context.Context) error { // and changes it for itself
			return command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "left"})(ctx, url)
		})
		require.Equal(t, "clock/1|de-CH|clock/1|de-CH|1'234.5|Europe/Zurich|700|500|2", swiss)
		save := func(ctx context.Context) error { _, err := script(ctx, "location = '/file'; ''"); return err }
		japanese := visit("japanese", func(ctx context.Context) error {
			if err := save(ctx); err != nil {
				return err
			}
			for ctx.Err() == nil {
				if got, err := os.ReadFile(filepath.Join(folder, "ware")); err == nil && string(got) == "a ware" {
					return nil
				}
				_ = chromedp.Do(ctx, chromedp.Sleep(5*time.Millisecond))
			}
			return ctx.Err()
		})
		require.Contains(t, japanese, "|ja|")
		require.Contains(t, japanese, "|Asia/Tokyo|")
		require.Equal(t, swiss, visit("swiss", save))
		require.Equal(t, plain, visit("plain", save))
		require.Equal(t, swiss, visit("swiss", nil)) // by then the files would be there
		require.Equal(t, japanese, visit("japanese", nil))
		require.Equal(t, plain, visit("plain", nil))
		saved, err := os.ReadDir(folder)
		require.NoError(t, err)
		require.Len(t, saved, 1)
	})
}

// proxy is a forward proxy that answers for every host by its own name.
func proxy(t *testing.T, name string) (address string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s by %s", r.URL, name)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestATenantHasAProxyOfItsOwn(t *testing.T) {
	inBothModes(t, func(t *testing.T, cfg Config) {
		url := wares(t)
		proxies := map[string]string{"a": proxy(t, "a's"), "b": proxy(t, "b's"), "broken": "no://proxy"}
		cfg.Browsers, cfg.TabsPerBrowser = 1, 3
		cfg.Context = func(tenant string) ContextOptions {
			if proxies[tenant] == "" {
				return ContextOptions{}
			}
			return ContextOptions{ProxyServer: proxies[tenant], ProxyBypassList: "<-loopback>"} // loopback addresses too
		}
		p := newPool(t, cfg)
		const somewhere = "http://shop.invalid/"
		for range 2 {
			require.Equal(t, somewhere+" by a's", said(t, p, "a", somewhere))
			require.Equal(t, somewhere+" by b's", said(t, p, "b", somewhere))
			require.Contains(t, said(t, p, "c", url), "Mozilla")
			for _, tenant := range []string{"c", "broken"} { // which needs a proxy, and does not get around its own
				url := map[string]string{"c": somewhere, "broken": url}[tenant]
				err := p.Do(within(t, time.Minute), tenant, func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(url)) })
				require.ErrorContains(t, err, "net::ERR_", tenant)
			}
		}
		parallel(6, cfg.scale(12, 60), func(i int) {
			tenant := []string{"a", "b"}[i%2]
			require.Equal(t, somewhere+" by "+tenant+"'s", said(t, p, tenant, somewhere))
		})
		nothingLost(t, p)
	})
}

func TestAnOptionThatTheBrowserRefusesIsAnError(t *testing.T) {
	bad := map[string]ContextOptions{
		`set Timezone "Mars/Olympus"`: {Timezone: "Mars/Olympus"},
		`set Locale "?"`:              {Locale: "?"},
		"set Width -5":                {Width: -5},
		"Scale -1":                    {Scale: -1},
	}
	p := newPool(t, Config{Context: func(tenant string) ContextOptions { return bad[tenant] }})
	for field := range bad {
		err := p.Do(within(t, time.Minute), field, func(context.Context) error { t.Error("it is run"); return nil })
		require.ErrorContains(t, err, field)
	}
	require.NoError(t, p.Do(within(t, time.Minute), "good", nothing))
	nothingLost(t, p)
}
