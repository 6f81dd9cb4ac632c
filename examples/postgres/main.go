// Postgres is an API of several tenants on one PostgreSQL database. A request
// says by its key whose it is; row-level security shows it the rows of its tenant
// alone, and pgxfair gives each tenant its share of eight connections.
//
//	go run ./examples/postgres
//
// starts a PostgreSQL server to be thrown away, and the API, once on pgxpool and
// once on pgxfair. Then one tenant asks for several hundred slow reports at once,
// and four list their orders all the time; a table shows how long they waited.
//
//	go run ./examples/postgres -pgbouncer
//
// has a PgBouncer in transaction mode in front of the server. There the session of
// one tenant serves another: pgxfair refuses to keep the tenant in it, as the other
// comparison does, and then names it in each transaction. pgxpool has no part in
// this one: the hooks that one writes for it would show tenants each other's rows.
//
//	go run ./examples/postgres -serve
//
// leaves the API on pgxfair running, to be tried by hand.
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

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
)

const connections = 8

// openFair opens a pool that knows whose each request is from its context. It
// tells PostgreSQL too, for row-level security.
func openFair(ctx context.Context, url string) (database, error) {
	config, err := pgxfair.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	config.TenantSetting = "app.tenant"
	return pgxfair.NewWithConfig(ctx, config)
}

// openBound is openFair for a server behind a PgBouncer in transaction mode.
func openBound(ctx context.Context, url string) (database, error) {
	config, err := pgxfair.ParseConfig(url + "&default_query_exec_mode=cache_describe")
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	config.TenantSetting, config.TenantBinding = "app.tenant", pgxfair.BindTransaction
	return pgxfair.NewWithConfig(ctx, config)
}

// config is the size of the demonstration.
type config struct {
	reports int           // that one tenant asks for at once
	report  time.Duration // that each takes on the server
	pause   time.Duration // of the others between two requests
	pooler  bool          // there is a PgBouncer
	serve   string        // address, "" for the comparison
}

// A contender is a way to open a pool.
type contender struct {
	name string
	open func(ctx context.Context, url string) (database, error)
}

// refused shows what becomes of a pool that would keep the tenant in sessions
// which are not its own.
func refused(ctx context.Context, url string, out io.Writer) error {
	db, err := openFair(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err = db.Exec(ctx, "select 1"); !errors.Is(err, pgxfair.ErrPooler) {
		return fmt.Errorf("behind PgBouncer the tenant was bound to a session: %v", err)
	}
	fmt.Fprintf(out, "with the tenant in the session: %v\n\n", err)
	return nil
}

// run starts a server and does what cfg says with it.
func run(ctx context.Context, cfg config, out io.Writer) (err error) {
	fmt.Fprintln(out, "starting a PostgreSQL server, to be thrown away afterwards")
	server, err := throwaway.StartPostgres(ctx, throwaway.PostgresConfig{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if err := createSchema(ctx, server.URL("postgres")); err != nil {
		return err
	}
	url := server.URLFor("app", "postgres")
	fair := contender{"pgxfair", openFair}
	contenders := []contender{{"pgxpool", openPlain}, fair}
	if cfg.pooler {
		pooler, err := throwaway.StartPgBouncer(ctx, server, throwaway.PgBouncerConfig{PoolSize: connections, Roles: []string{"app"}})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, pooler.Close()) }()
		url = pooler.URLFor("app", "postgres")
		if err := refused(ctx, url, out); err != nil {
			return err
		}
		fair.open = openBound
		contenders = []contender{fair}
	}
	if cfg.serve != "" {
		return serve(ctx, fair, url, cfg.serve, cfg.report, out)
	}
	var results []*result
	for _, contender := range contenders {
		fmt.Fprintf(out, "%d reports of %v for one tenant, orders for four others, on %d connections of %s\n",
			cfg.reports, cfg.report, connections, contender.name)
		db, err := contender.open(ctx, url)
		if err != nil {
			return err
		}
		r, err := measure(ctx, contender.name, newAPI(db, cfg.report), cfg)
		db.Close()
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	return printResults(out, results)
}

// serve runs the API until ctx ends.
func serve(ctx context.Context, fair contender, url, addr string, report time.Duration, out io.Writer) error {
	db, err := fair.open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	at := "http://" + l.Addr().String()
	fmt.Fprintf(out, `serving; try
  curl -H 'Authorization: Bearer key-of-web-1' %[1]s/orders
  curl -H 'Authorization: Bearer key-of-web-2' -d '{"item": "tea", "price": 4}' %[1]s/orders
  curl -H 'Authorization: Bearer key-of-batch' %[1]s/report
`, at)
	server := &http.Server{Handler: newAPI(db, report), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// start runs the program until it ends or is told to, and returns its exit code.
func start(cfg config) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, cfg, os.Stdout); {
	case err != nil && ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "postgres: stopped")
		return 130
	case err != nil:
		fmt.Fprintln(os.Stderr, "postgres:", err) // of a missing program it says how to install it
		return 1
	}
	return 0
}

func main() {
	cfg := config{report: 50 * time.Millisecond, pause: 20 * time.Millisecond}
	flag.IntVar(&cfg.reports, "reports", 600, "that one tenant asks for at once")
	on := flag.Bool("serve", false, "leave the API running instead of comparing")
	flag.BoolVar(&cfg.pooler, "pgbouncer", false, "put a PgBouncer in transaction mode in front of the server")
	addr := flag.String("addr", "127.0.0.1:0", "of the API, with -serve")
	flag.Parse()
	if flag.NArg() > 0 || cfg.reports < 1 {
		fmt.Fprintln(os.Stderr, "postgres: takes no arguments, and at least one of the -reports")
		os.Exit(2)
	}
	if *on {
		cfg.serve = *addr
	}
	os.Exit(start(cfg))
}
