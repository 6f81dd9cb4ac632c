package debugfair_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/adapters/chromedpfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// A tab is one of a real browser, which keeps what its console said.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // errors, warnings and violations of the policy
	network  []string // errors of the network
}

// openTab starts a browser for the test, of a size, and dark or light.
func openTab(t *testing.T, width, height int64, dark bool) *tab {
	t.Helper()
	path := throwaway.ProgramFor(t, "chromium-headless-shell", chromedpfair.FindBrowser)
	b := &tab{t: t}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))...)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithListener(b.hear))
	ctx, timeout := context.WithTimeout(ctx, 2*time.Minute)
	b.ctx = ctx
	t.Cleanup(func() {
		timeout()
		cancel()
		stop()
	})
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	require.NoError(t, chromedp.Do(ctx,
		func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, log.Enable, cdp.Empty{})
			if err == nil {
				_, err = cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
				})
			}
			return chromedp.Void{}, err
		},
		chromedp.EmulateViewport(width, height),
	))
	return b
}

// hear notes what the console says.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.problems = append(b.problems, text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			b.problems = append(b.problems, fmt.Sprint(e.Type, e.Args))
		}
	case *log.EventEntryAdded:
		text := fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		switch {
		case e.Entry.Source == log.EntrySourceNetwork:
			b.network = append(b.network, text)
		case e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning:
			b.problems = append(b.problems, text)
		}
	}
}

// requireQuiet fails if the console had anything to complain of.
func (b *tab) requireQuiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b.t, b.problems)
	require.Empty(b.t, b.network)
}

func (b *tab) open(url string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.Navigate(url)))
}

// eval returns the value of a JavaScript expression, or what it promises.
func eval[V any](b *tab, expression string) V {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[V](expression, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err, expression)
	return v
}

// eventually waits until a JavaScript expression is true, and returns for how
// long it has waited.
func (b *tab) eventually(expression string) time.Duration {
	b.t.Helper()
	begin := time.Now()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second)))
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", expression, err, eval[string](b, `document.body.innerText`))
	}
	return time.Since(begin)
}

// screenshot writes one of the whole page to the folder that the environment
// variable FAIRPOOL_SCREENSHOTS names, or to the artifacts of the test.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(b.t, err)
	folder := os.Getenv("FAIRPOOL_SCREENSHOTS")
	if folder == "" {
		// Since Go 1.26.
		if a, ok := any(b.t).(interface{ ArtifactDir() string }); ok {
			folder = a.ArtifactDir()
		} else {
			folder = b.t.TempDir()
		}
	}
	require.NoError(b.t, os.MkdirAll(folder, 0o755))
	require.NoError(b.t, os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644))
}

// requireNoSidewaysScroll fails if the page is wider than the window, or a part
// of it wider than its place.
func (b *tab) requireNoSidewaysScroll() {
	b.t.Helper()
	wide := eval[[]string](b, `[...document.querySelectorAll("html, header, .pool, .figures, .cells, .legend, .charts, .facts, .table")]
		.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.tagName + " " + e.className + " " + e.scrollWidth + " > " + e.clientWidth)`)
	require.Empty(b.t, wide)
	require.LessOrEqual(b.t, eval[int](b, `document.documentElement.scrollWidth`), eval[int](b, `innerWidth`))
}
