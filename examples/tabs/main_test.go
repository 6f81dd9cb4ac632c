package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
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

// nothingRuns requires that all goroutines end. Those of chromedp wait for up to
// a second until a browser closes its connection too.
func nothingRuns(t *testing.T) {
	for start := time.Now(); time.Since(start) < 5*time.Second && goleak.Find() != nil; {
		time.Sleep(10 * time.Millisecond)
	}
	goleak.VerifyNone(t)
}

func TestTheSecondRequestIsServedSoonerThanFirstComeFirstServed(t *testing.T) {
	needBrowser(t)
	defer nothingRuns(t)
	cfg := config{tabs: 4, pages: [2]int{16, 4}, pageTime: 300 * time.Millisecond, joins: 300 * time.Millisecond}
	jobs, end, err := cfg.jobs()
	require.NoError(t, err)
	defer end()
	p, err := chromedpfair.New(chromedpfair.Config{TabsPerBrowser: cfg.tabs, ReuseSameTenant: true})
	require.NoError(t, err)
	defer p.Close()
	require.NoError(t, p.Warm(t.Context()))
	queue, close, err := channel(cfg.tabs)
	require.NoError(t, err)
	defer close()

	wait := func(name string, run runner) time.Duration {
		r, pictures, err := load{name, jobs, run}.start(t.Context(), cfg, &bytes.Buffer{})
		require.NoError(t, err)
		require.Equal(t, 16, r.requests[0].titles)
		require.Equal(t, 4, r.requests[1].titles)
		require.Len(t, pictures.InOrder(), 20)
		return r.requests[1].wait(0)
	}
	for try := 1; ; try++ { // the machine may stand still for a while, in one of the two
		inQueue, fairly := wait("queue", queue), wait("fair", fair(p))
		t.Logf("the second request waits %v in the queue, %v where it is fair", inQueue, fairly)
		if fairly < inQueue {
			break
		}
		require.Less(t, try, 5)
	}
}

func TestRunPrintsWhatHappensAndLeavesPictures(t *testing.T) {
	needBrowser(t)
	defer nothingRuns(t)
	var text bytes.Buffer
	out := filepath.Join(t.TempDir(), "pictures")
	cfg := config{tabs: 2, pages: [2]int{3, 1}, pageTime: time.Second, out: out} // enough for a few lines
	require.NoError(t, run(t.Context(), cfg, &text))
	for _, part := range []string{"plain channel:", "fairpool:", "to go", "median", "pages/s", "request-2 was done in", "sheet.png"} {
		require.Contains(t, text.String(), part)
	}
	files, err := filepath.Glob(filepath.Join(out, "*", "request-?-??.png"))
	require.NoError(t, err)
	require.Len(t, files, 8)
	for _, file := range append(files, filepath.Join(out, "sheet.png")) {
		f, err := os.Open(file)
		require.NoError(t, err)
		picture, err := png.Decode(f)
		require.NoError(t, errors.Join(err, f.Close()))
		require.Greater(t, picture.Bounds().Dx(), 600, file)
		require.Greater(t, colours(picture), 10, "%s is blank", file)
	}
}

// colours is how many colours a picture has.
func colours(picture image.Image) int {
	seen := make(map[color.Color]bool)
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			seen[picture.At(x, y)] = true
		}
	}
	return len(seen)
}

func TestAddressesOfAFileAreLoadedOnceAndFailuresTold(t *testing.T) {
	needBrowser(t)
	defer nothingRuns(t)
	site := httptest.NewServer(slowSite(300 * time.Millisecond))
	defer site.Close()
	file := filepath.Join(t.TempDir(), "urls")
	lines := fmt.Sprintf("# mine\n%[1]s/articles/1\n\n http://127.0.0.1:1/ \n%[1]s/articles/2\n%[1]s/articles/3\n", site.URL)
	require.NoError(t, os.WriteFile(file, []byte(lines), 0o600))
	var text bytes.Buffer
	require.NoError(t, run(t.Context(), config{tabs: 2, urls: file, out: t.TempDir()}, &text))
	require.Contains(t, text.String(), "http://127.0.0.1:1/: page load error net::ERR_")
	require.Contains(t, text.String(), "fairpool   request-1       3        2 ")
	require.NotContains(t, text.String(), "plain channel")
}

func TestRunEndsTheBrowserWhenItIsStopped(t *testing.T) {
	needBrowser(t)
	defer nothingRuns(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(2*time.Second, cancel) // in the middle of it, wherever that is
	err := run(ctx, config{tabs: 2, pages: [2]int{20, 20}, pageTime: time.Minute, out: t.TempDir()}, &bytes.Buffer{})
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
		b.begins(j, 0)
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
