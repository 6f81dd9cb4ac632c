package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/adapters/chromedpfair"
)

// A load is the pages of both requests, and who they are charged to.
type load struct {
	jobs   []job
	tenant func(request string) string
	out    string // folder for screenshots, "" for none
}

// run has each request ask for all its pages at once, the second a little
// later, and returns when all are loaded.
func (l load) run(ctx context.Context, p *chromedpfair.Pool, cfg config, name string, out io.Writer) (result, error) {
	if l.out != "" {
		if err := os.MkdirAll(l.out, 0o755); err != nil {
			return result{}, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	b := newBoard(name, l.jobs)
	fmt.Fprintf(out, "\n%s:\n", name)
	shown := b.show(out, cfg.tabs)
	defer shown()

	var group sync.WaitGroup
	for _, j := range l.jobs {
		group.Go(func() {
			if j.request == 1 && !sleep(ctx, cfg.joins) {
				return
			}
			b.asks(j)
			if err := l.page(ctx, p, b, j); err != nil && cfg.urls == "" {
				cancel(fmt.Errorf("%s: %w", j.url, err)) // our own site does not fail
			} else if err != nil && ctx.Err() == nil {
				b.fails(j, err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	return b.result(), nil
}

// page loads one page in a tab of the pool.
func (l load) page(ctx context.Context, p *chromedpfair.Pool, b *board, j job) error {
	defer b.isDone(j)
	return p.Do(ctx, l.tenant(requests[j.request]), func(ctx context.Context) error {
		b.begins(j)
		defer b.ends(j)
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := chromedp.Do(ctx, chromedp.Navigate(j.url)); err != nil {
			return err
		}
		title, err := chromedp.Run(ctx, chromedp.Title())
		if err != nil {
			return err
		}
		b.read(j, title)
		if l.out == "" {
			return nil
		}
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(l.out, fmt.Sprintf("%s-%02d.png", requests[j.request], j.number)), picture, 0o644)
	})
}

// sleep reports whether ctx lasted for so long.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// reason is what went wrong with a page, in short.
func reason(err error) string {
	var lost *chromedpfair.LostError
	switch {
	case errors.As(err, &lost):
		return lost.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "took longer than a minute"
	}
	return err.Error()
}
