package chromedpfair

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// ContextOptions are what the tabs of a tenant are like, see Config.Context. The
// zero value is what the browser has by default.
type ContextOptions struct {
	// ProxyServer is what Chromium's --proxy-server takes, such as
	// "socks5://10.0.0.1:1080", and ProxyBypassList what --proxy-bypass-list
	// takes. They are fixed when a browser context is made. If the browser does not
	// understand ProxyServer no page loads: none goes around it. A proxy that wants
	// a name and a password asks the code of the lease, see package fetch of cdproto.
	ProxyServer     string
	ProxyBypassList string

	// DownloadPath is the folder, on the machine of the browser, in which pages
	// may save files. "" means that they may not.
	DownloadPath string

	// These and the size apply to the tab and the frames in it. Popups, which are
	// tabs of their own, and workers of a site do not have them.
	UserAgent      string
	AcceptLanguage string // such as "de-CH, en;q=0.5"
	Locale         string // of numbers and dates, such as "de_CH"
	Timezone       string // such as "Europe/Zurich"

	// Width and Height are the size of the page in CSS pixels, Scale how many
	// pixels of the device one of them has. 0 means the browser's own.
	Width, Height int
	Scale         float64
	Mobile        bool // the viewport meta tag, scrollbars on top and so on
}

// plain reports whether a browser context made for anybody will do.
func (o *ContextOptions) plain() bool {
	return o.ProxyServer == "" && o.ProxyBypassList == ""
}

// dress has the options take effect that belong to the session.
func (s *session) dress(ctx context.Context, o *ContextOptions) error {
	if s.dressed {
		return nil
	}
	ctx = s.on(ctx)
	if o.UserAgent != "" || o.AcceptLanguage != "" {
		agent := o.UserAgent
		if agent == "" {
			if err := s.evaluate(ctx, "navigator.userAgent", &agent); err != nil {
				return err
			}
		}
		if _, err := chromedp.Call(ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
			UserAgent: agent, AcceptLanguage: o.AcceptLanguage,
		}); err != nil {
			return fmt.Errorf("set UserAgent %q and AcceptLanguage %q: %w", agent, o.AcceptLanguage, err)
		}
	}
	if o.Locale != "" {
		if _, err := chromedp.Call(ctx, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: o.Locale}); err != nil {
			return fmt.Errorf("set Locale %q: %w", o.Locale, err)
		}
	}
	if o.Timezone != "" {
		if _, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: o.Timezone}); err != nil {
			return fmt.Errorf("set Timezone %q: %w", o.Timezone, err)
		}
	}
	if o.Width != 0 || o.Height != 0 || o.Scale != 0 || o.Mobile {
		if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: int64(o.Width), Height: int64(o.Height), DeviceScaleFactor: o.Scale, Mobile: o.Mobile,
		}); err != nil {
			return fmt.Errorf("set Width %d, Height %d and Scale %v: %w", o.Width, o.Height, o.Scale, err)
		}
	}
	s.dressed = true
	return nil
}
