package chromedpfair_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/adapters/chromedpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A service that takes screenshots for its customers.
func ExamplePool() {
	tabs, err := chromedpfair.New(chromedpfair.Config{Browsers: 2, TabsPerBrowser: 8})
	if err != nil {
		log.Fatal(err) // says which package to install if there is no browser
	}
	defer tabs.Close()

	screenshot := func(ctx context.Context, customer, url string) (picture []byte, err error) {
		err = tabs.Do(ctx, customer, func(ctx context.Context) (err error) {
			if err = chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
				return err
			}
			picture, err = chromedp.Run(ctx, chromedp.CaptureScreenshot())
			return err
		})
		return picture, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	picture, err := screenshot(ctx, "customer-1", "https://example.com")
	fmt.Println(len(picture), err)
}

// Room for a second browser: when the first has served its tabs, or takes too
// much memory, its successor runs before it ends.
func ExampleConfig() {
	tabs, err := chromedpfair.New(chromedpfair.Config{
		Browsers:       2,
		TabsPerBrowser: 10,
		Sharing: fairshare.Config{
			Capacity: 10, // the tabs of one
			Tenants:  map[string]fairshare.Share{"interactive": {Weight: 4}},
		},
		Retire: chromedpfair.Retire{MaxTabsServed: 500, MaxMemory: 4 << 30},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer tabs.Close()
	if err := tabs.Warm(context.Background()); err != nil {
		log.Fatal(err)
	}
	for _, b := range tabs.Browsers().Running {
		fmt.Println(b.Number, b.State, b.Ready)
	}
}

// A lease that is held for as long as its holder wants.
func ExampleTab_Context() {
	tabs, err := chromedpfair.New(chromedpfair.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer tabs.Close()
	lease, err := tabs.Acquire(context.Background(), "tenant-1")
	if err != nil {
		log.Fatal(err)
	}
	defer lease.Release()
	ctx, cancel := lease.Value().Context(context.Background())
	defer cancel()
	fmt.Println(chromedp.Do(ctx, chromedp.Navigate("https://example.com")))
}

func ExampleLostError() {
	err := fmt.Errorf("scrape: %w", &chromedpfair.LostError{Reason: chromedpfair.ErrBrowserDied, Browser: 3})
	var lost *chromedpfair.LostError
	if errors.As(err, &lost) {
		fmt.Println("try again:", lost)
	}
	fmt.Println("the page's fault:", errors.Is(err, pool.ErrBadResource))
	// Output:
	// try again: chromedpfair: the browser died (browser 3)
	// the page's fault: false
}
