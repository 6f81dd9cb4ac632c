// Tabs shows what a fair pool of browser tabs changes. Two requests scrape
// pages in ten tabs of a real browser: the first wants thirty pages, the second
// comes a little later and wants ten. The same load runs twice: with tabs in a
// plain channel, first come, first served; and with those of fairpool, where
// each request is a tenant and has a browser context of its own. A table at the
// end compares how long each request waited, and how many pages were done in a
// second.
//
//	go run ./examples/tabs
//
// The pages are of a web site that the program itself serves. With -urls they
// are those of a file, one a line, the last quarter being the second request;
// then they are loaded only once, fairly. The program leaves a screenshot of
// each page in a folder, see -out, and all of them on one sheet, in the order in
// which the pages were done.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fairpool/fairpool/adapters/chromedpfair"
)

// config is the size of the demonstration.
type config struct {
	tabs     int
	pages    [2]int        // of each request, from our own site
	pageTime time.Duration // what our own site takes for a page
	joins    time.Duration // when the second request comes
	urls     string        // a file
	out      string        // a folder
}

// run loads the pages and prints what happens.
func run(ctx context.Context, cfg config, out io.Writer) error {
	p, err := chromedpfair.New(chromedpfair.Config{TabsPerBrowser: cfg.tabs, ReuseSameTenant: true})
	if err != nil {
		return err // says what to install
	}
	defer p.Close()
	jobs, end, err := cfg.jobs()
	if err != nil {
		return err
	}
	defer end()

	fmt.Fprintf(out, "starting browsers with %d tabs each\n", cfg.tabs)
	if err := p.Warm(ctx); err != nil {
		return err
	}
	loads := []load{{"fairpool", jobs, fair(p)}}
	if cfg.urls == "" {
		queue, end, err := channel(cfg.tabs)
		if err != nil {
			return err
		}
		defer end()
		loads = append([]load{{"plain channel", jobs, queue}}, loads...)
	}
	var results []result
	var pictures []*shots
	for _, l := range loads {
		r, taken, err := l.start(ctx, cfg, out)
		if err != nil {
			return err
		}
		if err := taken.save(filepath.Join(cfg.out, strings.ReplaceAll(l.name, " ", "-"))); err != nil {
			return err
		}
		results, pictures = append(results, r), append(pictures, taken)
	}
	printTable(out, results)
	sheet := filepath.Join(cfg.out, "sheet.png")
	if err := contactSheet(ctx, fair(p), sheet, pictures); err != nil {
		return err
	}
	fmt.Fprintf(out, "the pages, in the order in which they were done: %s\n", sheet)
	return nil
}

// start runs the program until it ends or is told to, and returns its exit code.
func start(cfg config) int {
	// A reader of the output that goes away, as in "| head", also ends it in
	// order: the browser is to be ended.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	err := run(ctx, cfg, os.Stdout)
	return report(os.Stderr, err, ctx.Err() != nil)
}

// report tells what went wrong, if anything, and returns the exit code.
func report(out io.Writer, err error, stopped bool) int {
	switch {
	case err == nil:
		return 0
	case stopped:
		fmt.Fprintln(out, "tabs: stopped")
		return 130
	case errors.Is(err, chromedpfair.ErrNoBrowser):
		fmt.Fprintf(out, "tabs: this program needs a browser\n%v\n", err)
	default:
		fmt.Fprintln(out, "tabs:", err)
	}
	return 1
}

func main() {
	cfg := config{pages: [2]int{30, 10}, pageTime: 1500 * time.Millisecond, joins: 1500 * time.Millisecond}
	flag.IntVar(&cfg.tabs, "tabs", 10, "to share")
	flag.StringVar(&cfg.urls, "urls", "", "a `file` of addresses to load, one a line")
	flag.StringVar(&cfg.out, "out", filepath.Join(os.TempDir(), "fairpool-tabs"), "a `folder` for screenshots")
	flag.Parse()
	if flag.NArg() > 0 || cfg.tabs < 1 || cfg.tabs > 100 {
		fmt.Fprintln(os.Stderr, "tabs: takes no arguments, and between 1 and 100 -tabs")
		os.Exit(2)
	}
	os.Exit(start(cfg))
}
