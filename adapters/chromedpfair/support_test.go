package chromedpfair

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// The long tests run in a small form unless told otherwise.
var (
	full    = flag.Bool("full", false, "run the tests with as much as is claimed: several minutes")
	program = flag.String("browser", "", "test with this browser and not with the one that is found")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(patient{m}) }

// patient are tests after which there is time until goroutines have ended:
// chromedp waits for up to a second until a browser closes its connection too.
type patient struct{ *testing.M }

func (p patient) Run() int {
	code := p.M.Run()
	for start := time.Now(); time.Since(start) < 5*time.Second && goleak.Find() != nil; {
		time.Sleep(10 * time.Millisecond)
	}
	return code
}

// scale is how much of something a test does.
func scale(small, whole int) int {
	if *full {
		return whole
	}
	return small
}

// long skips a test that takes its time.
func long(t testing.TB) {
	if testing.Short() {
		t.Skip("takes long")
	}
}

// browserOrSkip returns the browser to test with. With -short there is none.
func browserOrSkip(t testing.TB) string {
	t.Helper()
	long(t)
	if *program != "" {
		return *program
	}
	return throwaway.ProgramFor(t, "chromium-headless-shell", FindBrowser)
}

// newPool returns a pool of real browsers. When the test is over nothing of
// them may be left: no process, no profile.
func newPool(t testing.TB, cfg Config) *Pool {
	t.Helper()
	if len(cfg.Remote) == 0 {
		if cfg.ExecPath == "" {
			cfg.ExecPath = browserOrSkip(t)
		}
		cfg.ProfileRoot = t.TempDir()
		cfg.Options = append(cfg.Options, chromedp.Flag("disable-component-update", true))
	}
	if cfg.LaunchTimeout == 0 {
		cfg.LaunchTimeout = time.Minute // the machine may be busy
	}
	if cfg.OpenTimeout == 0 {
		cfg.OpenTimeout = 30 * time.Second
	}
	if cfg.Health == (Health{}) {
		cfg.Health = Health{Every: time.Second, Timeout: 30 * time.Second}
	}
	if cfg.Logger == nil {
		warnings := new(tape)
		cfg.Logger = slog.New(slog.NewTextHandler(warnings, &slog.HandlerOptions{Level: slog.LevelWarn}))
		t.Cleanup(func() {
			if text := warnings.String(); text != "" {
				t.Log(text)
			}
		})
	}
	p, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Close()
		if cfg.ProfileRoot != "" {
			left, err := os.ReadDir(cfg.ProfileRoot)
			require.NoError(t, err)
			require.Empty(t, left, "profiles left behind")
			require.Empty(t, processesWith(cfg.ProfileRoot), "processes left behind")
		}
		// Close waits for no tab that was just returned, nor for one being built.
		require.NoError(t, p.Shutdown(within(t, time.Minute)), "tabs left in the pool")
		require.Empty(t, p.Browsers().Running)
	})
	return p
}

// A tape keeps what is logged, also when the test is over.
type tape struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *tape) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *tape) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}

// script runs JavaScript, awaits a promise, and returns the string that it
// results in.
func script(ctx context.Context, js string) (string, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[string](js, chromedp.EvalAwaitPromise))
}

// crash has the page of a lease crash, and returns when the lease has ended.
func crash(ctx context.Context) error {
	_ = chromedp.Do(ctx, chromedp.Navigate("chrome://crash"))
	<-ctx.Done()
	return context.Cause(ctx)
}

// site is a web site with whatever the tests need.
func site(t testing.TB) string {
	mux := http.NewServeMux()
	page := func(path, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<!DOCTYPE html><title>"+path+"</title><body>"+body)
		})
	}
	page("/", "hello")
	page("/endless", "<script>for (;;);</script>")
	page("/unload", "<p style='height:100vh'>stay<script>addEventListener('beforeunload', e => { e.preventDefault(); return e.returnValue = 'stay' })</script>")
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.Atoi(r.FormValue("ms"))
		select {
		case <-time.After(time.Duration(ms) * time.Millisecond): // the page's own time
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<title>slow</title>slow")
	})
	mux.HandleFunc("/download", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", "attachment; filename=loot.bin")
		w.Write(make([]byte, 1<<20))
	})
	mux.HandleFunc("/sw.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		io.WriteString(w, "self.addEventListener('fetch', () => {})")
	})
	mux.HandleFunc("/auth", func(w http.ResponseWriter, r *http.Request) {
		user, _, ok := r.BasicAuth()
		if !ok {
			w.Header().Set("WWW-Authenticate", "Basic realm=test")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, user)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func newTab(t *testing.T, browser context.Context, options ...chromedp.ContextOption) context.Context {
	ctx, cancel := chromedp.NewContext(browser, options...)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}
