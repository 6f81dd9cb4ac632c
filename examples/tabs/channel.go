package main

import (
	"context"
	"fmt"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/adapters/chromedpfair"
)

// A runner runs fn in a tab on behalf of a request.
type runner func(ctx context.Context, request string, fn func(ctx context.Context) error) error

// channel is what programs have that need no fairness, or do not know that they
// do: some tabs in a channel, for whoever comes first. Nothing is cleaned, and
// nobody notices if a tab breaks. The end closes the browser.
func channel(tabs int) (run runner, end func(), err error) {
	path, err := chromedpfair.FindBrowser()
	if err != nil {
		return nil, nil, err // says what to install
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))...)
	browser, closeBrowser := chromedp.NewContext(allocator)
	end = func() { closeBrowser(); stop() }
	free := make(chan context.Context, tabs)
	err = chromedp.Do(browser)
	for i := 0; i < tabs && err == nil; i++ {
		tab, _ := chromedp.NewContext(browser) // ends with the browser
		err = chromedp.Do(tab)
		free <- tab
	}
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("start a browser: %w", err)
	}
	return func(ctx context.Context, _ string, fn func(ctx context.Context) error) error {
		select {
		case tab := <-free:
			defer func() { free <- tab }()
			page, cancel := context.WithCancel(tab)
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			return fn(page)
		case <-ctx.Done():
			return ctx.Err()
		}
	}, end, nil
}

// fair has a tenant for each request. That is all there is to it.
func fair(p *chromedpfair.Pool) runner { return p.Do }
