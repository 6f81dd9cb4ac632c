// Command compare measures pgxfair beside pgxpool, on a throw-away PostgreSQL
// server, in one run: the two take turns, so that whatever else the machine does
// happens to both.
//
//	go run ./compare
//
// It prints the tables of the README of pgxfair.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"

	"github.com/fairpool/fairpool/adapters/throwaway"
)

func main() {
	rounds := flag.Int("rounds", 9, "how often each comparison is repeated")
	only := flag.String("only", "", "`name` of the one comparison to run: latency, throughput or neighbour")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, only string) (err error) {
	server, err := throwaway.StartPostgres(ctx, throwaway.PostgresConfig{})
	if err != nil {
		return err
	}
	defer server.Close()
	pooler, err := throwaway.StartPgBouncer(ctx, server, throwaway.PgBouncerConfig{PoolSize: conns})
	if err != nil {
		return err
	}
	defer pooler.Close()
	for _, c := range []struct {
		name string
		run  func(context.Context, servers, int) error
	}{{"latency", latency}, {"throughput", throughput}, {"neighbour", neighbour}} {
		if only != "" && only != c.name {
			continue
		}
		if err := c.run(ctx, servers{server, pooler}, rounds); err != nil {
			return err
		}
	}
	fmt.Printf("(%s %s/%s, %d processors, PostgreSQL on the same machine, over TCP.)\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	return nil
}

// servers are a PostgreSQL and a PgBouncer in transaction mode before it.
type servers struct {
	server *throwaway.Postgres
	pooler *throwaway.PgBouncer
}

func (s servers) url(pooled bool) string {
	if pooled {
		return s.pooler.URL("postgres") + "&default_query_exec_mode=cache_describe"
	}
	return s.server.URL("postgres")
}
