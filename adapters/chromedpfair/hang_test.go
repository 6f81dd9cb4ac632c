package chromedpfair

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/debugger"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// idlers are pages from which no answer comes, or nothing else, though they do
// not hang. Each tells when it waits, until over is closed.
var idlers = map[string]func(ctx context.Context, url string, waits func(), over <-chan struct{}) error{
	"its server is slow": func(ctx context.Context, url string, waits func(), over <-chan struct{}) error {
		waits()
		return during(ctx, over, func(ctx context.Context) error {
			return chromedp.Do(ctx, chromedp.Navigate(url+"/slow?ms=100000"))
		})
	},
	"the server of its frame is slow": func(ctx context.Context, url string, waits func(), over <-chan struct{}) error {
		if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
			return err
		}
		const frame = `document.body.innerHTML = "<iframe src='/slow?ms=100000'>"; ""`
		if _, err := script(ctx, frame); err != nil {
			return err
		}
		waits()
		return during(ctx, over, evaluate("new Promise(() => {})"))
	},
	"an alert is open": func(ctx context.Context, url string, waits func(), over <-chan struct{}) error {
		if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
			return err
		}
		if err := dialog(ctx, func() error { return during(ctx, over, evaluate("alert('well?'); ''")) }, waits); err != nil {
			return err
		}
		return answer(ctx, true) // it is still there
	},
	"it does not want to be left": func(ctx context.Context, url string, waits func(), over <-chan struct{}) error {
		if err := chromedp.Do(ctx, chromedp.Navigate(url+"/unload"), chromedp.Click(chromedp.CSS("p"))); err != nil {
			return err
		}
		leave := func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(url)) }
		if err := dialog(ctx, func() error { return during(ctx, over, leave) }, waits); err != nil {
			return err
		}
		return answer(ctx, false)
	},
	"it asks its tenant again and again": func(ctx context.Context, url string, waits func(), over <-chan struct{}) error {
		if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
			return err
		}
		if err := chromedp.Listen(ctx, func(event any) {
			if _, ok := event.(*cdppage.EventJavascriptDialogOpening); ok {
				go answer(ctx, true)
			}
		}); err != nil {
			return err
		}
		return dialog(ctx, func() error { return during(ctx, over, evaluate(asks)) }, waits)
	},
	"its script is being looked at": func(ctx context.Context, url string, waits func(), over <-chan struct{}) error {
		if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
			return err
		}
		if _, err := chromedp.Call(ctx, debugger.Enable, debugger.EnableParams{}); err != nil {
			return err
		}
		waits()
		if err := during(ctx, over, evaluate("debugger; ''")); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, debugger.Resume, debugger.ResumeParams{})
		return err
	},
}

// asks is busy most of the time, and gives the tenant its turn now and then.
const asks = `for (;;) {
	alert("well?")
	for (const start = Date.now(); Date.now() < start + 300;);
}`

func evaluate(js string) func(context.Context) error {
	return func(ctx context.Context) error { _, err := script(ctx, js); return err }
}

// during does something that does not end by itself, until it is over.
func during(ctx context.Context, over <-chan struct{}, something func(context.Context) error) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { <-over; cancel() }()
	_ = something(inner)
	return context.Cause(ctx)
}

// dialog calls opened as soon as what is done has a dialog opened.
func dialog(ctx context.Context, do func() error, opened func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := chromedp.Listen(ctx, func(event any) {
		if _, ok := event.(*cdppage.EventJavascriptDialogOpening); ok {
			opened()
		}
	})
	if err != nil {
		return err
	}
	return do()
}

func answer(ctx context.Context, accept bool) error {
	_, err := chromedp.Call(ctx, cdppage.HandleJavaScriptDialog, cdppage.HandleJavaScriptDialogParams{Accept: accept})
	return err
}

func TestAPageThatHangsEndsItsLeaseAndOneThatWaitsDoesNot(t *testing.T) {
	t.Parallel() // it waits most of the time
	url := site(t)
	health := Health{Every: 100 * time.Millisecond, Timeout: 30 * time.Second, HangAfter: 2 * time.Second}
	p := newPool(t, Config{TabsPerBrowser: len(idlers) + 1, Health: health})
	over := make(chan struct{})
	var waiting, group sync.WaitGroup
	for name, idle := range idlers {
		waiting.Add(1)
		var once sync.Once
		waits := func() { once.Do(waiting.Done) }
		group.Go(func() {
			defer waits()
			err := p.Do(within(t, time.Minute), "idler", func(ctx context.Context) error { return idle(ctx, url, waits, over) })
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	waiting.Wait()
	for name, hang := range map[string]func(ctx context.Context) error{
		"a script of the tenant": func(ctx context.Context) error {
			return errors.Join(chromedp.Do(ctx, chromedp.Navigate(url)), evaluate("for (;;);")(ctx))
		},
		"a script of the page, which never loads": func(ctx context.Context) error {
			return chromedp.Do(ctx, chromedp.Navigate(url+"/endless"))
		},
	} {
		err := p.Do(context.Background(), "hung", hang) // without a deadline
		require.ErrorIs(t, err, ErrTabHung, name)
		require.ErrorIs(t, err, pool.ErrBadResource, "its tenant pays")
	} // and in that time any of the others would have been found out
	close(over)
	group.Wait()
	require.Zero(t, p.Browsers().Hung, "it is not the browser's fault")
	nothingLost(t, p)
}
