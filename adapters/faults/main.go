// Command faults has the same faults happen to a pgxpool, a pgxfair pool, a
// *sql.DB and a sqlfair one at the same moment, on a real PostgreSQL server, while
// ten clients of five tenants each read rows under row-level security:
//
//	go run ./adapters/faults
//
// It prints what each made of it: errors, how long after the fault the first and
// the last came, how soon after its end a call succeeded, the longest call, how many
// connections could be had at the end, how many were made, and rows of other tenants. With -write and the name of a file it writes that
// there instead. -only runs those faults whose names contain a text.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/fairpool/fairpool/adapters/throwaway"
)

func main() {
	log.SetFlags(0)
	file := flag.String("write", "", "`file` that the tables are written to")
	only := flag.String("only", "", "`part` of the names of the faults that are run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var tables bytes.Buffer
	if err := run(ctx, io.MultiWriter(&tables, os.Stdout), *only); err != nil {
		log.Fatal(err)
	}
	if *file != "" {
		if err := os.WriteFile(*file, tables.Bytes(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// run runs the faults and prints a table of each.
func run(ctx context.Context, out io.Writer, only string) error {
	fmt.Fprintf(out, "# What faults of a server do to four pools\n\n"+
		"`go run ./adapters/faults -write adapters/faults/results.md`: ten clients of five tenants on each pool, %d connections\n"+
		"each, deadlines of a second; %s, %d processors, PostgreSQL 15 on the same machine. All four meet a fault at\n"+
		"the same time. *first* and *last* error are since the fault began; *back* is the first success since it was over, *longest*\n"+
		"the longest call. *lost* is how many connections could not be had at the end.\n",
		connections, runtime.Version(), runtime.NumCPU())
	ran := 0
	for _, f := range faults {
		if !strings.Contains(f.name, only) {
			continue
		}
		results, err := suffer(ctx, f)
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		ran++
		fmt.Fprintf(out, "\n## %s\n\n| pool | queries | errors | first | last | back | longest | lost | made | foreign rows |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n", f.name)
		for _, r := range results {
			fmt.Fprintln(out, r)
		}
	}
	if ran == 0 {
		return fmt.Errorf("no fault has a name with %q", only)
	}
	return nil
}

// A fault is something that happens to a server.
type fault struct {
	name   string
	config throwaway.PostgresConfig
	second bool          // there is a standby
	proxy  bool          // the pools connect through a proxy
	after  time.Duration // for how long the load goes on
	happen func(ctx context.Context, s *stage) error
}

// suffer starts a server and four pools, has the fault happen to them under load,
// and returns what came of it.
func suffer(ctx context.Context, f fault) ([]result, error) {
	s, err := newStage(ctx, f)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	pools, err := open(ctx, s.url)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	loads := make([]*load, len(pools))
	for i, p := range pools {
		loads[i] = begin(ctx, p)
	}
	time.Sleep(500 * time.Millisecond)
	start := time.Now()
	for _, l := range loads {
		l.faultBegins(start)
	}
	err = f.happen(ctx, s)
	over := time.Now()
	for _, l := range loads {
		l.faultIsOver(over)
	}
	time.Sleep(f.after)
	for _, l := range loads {
		l.end()
	}
	var results []result
	for i, p := range pools {
		results = append(results, loads[i].judge(ctx, p))
	}
	for _, p := range pools {
		p.close()
	}
	return results, errors.Join(err, s.close())
}
