// Package chromedpfair shares the tabs of real browsers fairly among tenants.
package chromedpfair
