// Dashboard shows pools at work in a browser: a service with two of them, tabs
// of a browser and places at an API, is simulated, with tenants that behave and
// tenants that do not, and its page served.
//
//	go run ./examples/dashboard
//
// prints the address of the page and runs until it is interrupted, or for as
// long as -for says.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fairpool/fairpool/adapters/debugfair"
)

// run serves the page of a simulated service until ctx ends.
func run(ctx context.Context, addr string, seed uint64, out io.Writer) (err error) {
	s, err := newService()
	if err != nil {
		return err
	}
	defer s.close()
	page, err := debugfair.New(debugfair.Config{
		Pools: []debugfair.Pool{
			{Name: "browser tabs", Source: s.tabs, Waits: s.tabWaits},
			{Name: "map API", Source: debugfair.Semaphore(s.api), Waits: s.apiWaits, Figures: s.quota},
		},
		Title: "dashboard",
	})
	if err != nil {
		return err
	}
	defer page.Close()

	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/debug/fairpool/", page)
	mux.Handle("/{$}", http.RedirectHandler("/debug/fairpool/", http.StatusFound))
	server := &http.Server{Handler: mux}
	server.RegisterOnShutdown(page.Close) // or Shutdown would wait for whoever watches
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "http://%s/debug/fairpool/\n", listener.Addr())

	ctx, stop := context.WithCancel(ctx)
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		s.work(ctx, seed)
	}()
	select {
	case <-ctx.Done():
	case err = <-served: // only ever an error
	}
	stop()
	<-worked
	closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(closing))
}

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "to serve the page at")
	lasts := flag.Duration("for", 0, "how long to run; 0 means until it is interrupted")
	seed := flag.Uint64("seed", 1, "of the load")
	flag.Parse()
	if flag.NArg() > 0 || *lasts < 0 {
		fmt.Fprintln(os.Stderr, "dashboard: takes no arguments, and a -for of at least 0")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *lasts > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *lasts)
		defer cancel()
	}
	if err := run(ctx, *addr, *seed, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}
