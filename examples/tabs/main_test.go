package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/chromedpfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func needBrowser(t *testing.T) {
	t.Helper()
	throwaway.ProgramFor(t, "chromium-headless-shell", chromedpfair.FindBrowser)
}

func TestTheSecondRequestIsServedSoonerThanFirstComeFirstServed(t *testing.T) {
	needBrowser(t)
	defer goleak.VerifyNone(t)
	out := filepath.Join(t.TempDir(), "pictures")
	cfg := config{tabs: 4, pages: [2]int{16, 4}, pageTime: 300 * time.Millisecond, joins: 300 * time.Millisecond, out: out}
	jobs, end, err := cfg.jobs()
	require.NoError(t, err)
	defer end()
	p, err := chromedpfair.New(chromedpfair.Config{TabsPerBrowser: cfg.tabs})
	require.NoError(t, err)
	defer p.Close()
	require.NoError(t, p.Warm(t.Context()))

	wait := func(name string, tenant func(request string) string) time.Duration {
		r, err := load{jobs: jobs, tenant: tenant, out: out}.run(t.Context(), p, cfg, name, &bytes.Buffer{})
		require.NoError(t, err)
		require.Equal(t, 16, r.requests[0].titles)
		require.Equal(t, 4, r.requests[1].titles)
		return r.requests[1].first.Sub(r.requests[1].asked)
	}
	for try := 1; ; try++ { // the machine may stand still for a while, in one of the two
		queue := wait("queue", func(string) string { return "all" })
		fair := wait("fair", func(request string) string { return request })
		t.Logf("the second request waits %v in the queue, %v where it is fair", queue, fair)
		if fair < queue {
			break
		}
		require.Less(t, try, 5)
	}
	pictures, err := filepath.Glob(filepath.Join(out, "request-?-??.png"))
	require.NoError(t, err)
	require.Len(t, pictures, 20)
}

func TestRunPrintsWhatHappens(t *testing.T) {
	needBrowser(t)
	defer goleak.VerifyNone(t)
	var text bytes.Buffer
	cfg := config{tabs: 2, pages: [2]int{3, 1}, pageTime: time.Second} // enough for a few lines
	require.NoError(t, run(t.Context(), cfg, &text))
	for _, part := range []string{"first come, first served:", "fair:", "to go", "took", "request-2 was done in"} {
		require.Contains(t, text.String(), part)
	}
}

func TestAddressesOfAFileAreLoadedOnceAndFailuresTold(t *testing.T) {
	needBrowser(t)
	defer goleak.VerifyNone(t)
	site := httptest.NewServer(slowSite(300 * time.Millisecond))
	defer site.Close()
	file := filepath.Join(t.TempDir(), "urls")
	lines := fmt.Sprintf("# mine\n%[1]s/articles/1\n\n http://127.0.0.1:1/ \n%[1]s/articles/2\n%[1]s/articles/3\n", site.URL)
	require.NoError(t, os.WriteFile(file, []byte(lines), 0o600))
	var text bytes.Buffer
	require.NoError(t, run(t.Context(), config{tabs: 2, urls: file}, &text))
	require.Contains(t, text.String(), "http://127.0.0.1:1/: page load error net::ERR_")
	require.Contains(t, text.String(), "fair   request-1       3        2 ")
	require.NotContains(t, text.String(), "first come, first served")
}

func TestRunEndsTheBrowserWhenItIsStopped(t *testing.T) {
	needBrowser(t)
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(2*time.Second, cancel) // in the middle of it, wherever that is
	err := run(ctx, config{tabs: 2, pages: [2]int{20, 20}, pageTime: time.Minute}, &bytes.Buffer{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestReadURLsSaysWhatIsWrong(t *testing.T) {
	_, err := readURLs(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("\n# nothing\n"), 0o600))
	_, err = readURLs(empty)
	require.ErrorContains(t, err, "has no addresses")
}

func TestTheExitCodeSaysHowItEnded(t *testing.T) {
	var text strings.Builder
	require.Equal(t, 0, report(&text, nil, false))
	require.Empty(t, text.String())
	require.Equal(t, 130, report(&text, context.Canceled, true))
	require.Equal(t, 1, report(&text, errors.New("oops"), false))
	require.Contains(t, text.String(), "tabs: oops")
	require.Equal(t, 1, report(&text, fmt.Errorf("%w: install chromium-headless-shell", chromedpfair.ErrNoBrowser), false))
	require.Contains(t, text.String(), "install chromium-headless-shell")
}

func TestWhatFailsAtTheVeryEndIsToldAllTheSame(t *testing.T) {
	jobs := []job{{0, 1, "http://example.com/"}}
	b := newBoard("fair", jobs)
	var text strings.Builder
	shown := b.show(&text, 1)
	b.fails(jobs[0], errors.New("gone"))
	shown()
	require.Contains(t, text.String(), "http://example.com/: gone\n")
}

func TestALineShowsTheTabsOfEachRequest(t *testing.T) {
	jobs := []job{{0, 1, ""}, {0, 2, ""}, {0, 3, ""}, {1, 1, ""}}
	b := newBoard("fair", jobs)
	at := b.start.Add(1500 * time.Millisecond)
	b.asks(jobs[0])
	for _, j := range jobs[:3] {
		b.begins(j)
	}
	b.ends(jobs[0])
	b.isDone(jobs[0])
	require.Equal(t, " 1.50 s   request-1 ██      2   2 to go      request-2         0  not yet here\n", b.line(at, 6))
	b.asks(jobs[3])
	b.fails(jobs[3], errors.New("gone"))
	b.isDone(jobs[3])
	require.Contains(t, b.line(at, 6), "        : gone\n")
	require.Contains(t, b.line(at, 6), "request-2         0  done\n")
}
