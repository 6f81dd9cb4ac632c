package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/adapters/chromedpfair"
)

// A load is the pages of both requests, and what gives them tabs.
type load struct {
	name string
	jobs []job
	run  runner
}

// start has each request ask for all its pages at once, the second a little
// later, and returns when all are loaded.
func (l load) start(ctx context.Context, cfg config, out io.Writer) (result, *shots, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	b := newBoard(l.name, l.jobs)
	pictures := &shots{Name: l.name}
	fmt.Fprintf(out, "\n%s:\n", l.name)
	shown := b.show(out, cfg.tabs)
	defer shown()

	var group sync.WaitGroup
	for _, j := range l.jobs {
		group.Go(func() {
			if j.request == 1 && !sleep(ctx, cfg.joins) {
				return
			}
			if err := l.page(ctx, b, pictures, j); err != nil && cfg.urls == "" {
				cancel(fmt.Errorf("%s: %w", j.url, err)) // our own site does not fail
			} else if err != nil && ctx.Err() == nil {
				b.fails(j, err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return result{}, nil, context.Cause(ctx)
	}
	return b.result(), pictures, nil
}

// page loads one page in a tab, and takes its picture.
func (l load) page(ctx context.Context, b *board, pictures *shots, j job) error {
	b.asks(j)
	asked := time.Now()
	defer b.isDone(j)
	return l.run(ctx, requests[j.request], func(ctx context.Context) error {
		waited := time.Since(asked)
		b.begins(j, waited)
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
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		pictures.add(shot{Job: j, Waited: waited, At: time.Since(b.start), picture: picture})
		return nil
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
