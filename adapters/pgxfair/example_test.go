package pgxfair_test

import (
	"context"
	"fmt"
	"os"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
)

func Example() {
	ctx := context.Background()
	db, err := pgxfair.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	defer db.Close()

	// Middleware says who it is ...
	ctx = fairshare.WithTenant(ctx, "acme")
	// ... and all else is as with pgxpool.
	rows, err := db.Query(ctx, "select name from customers where city = $1", "Rome")
	if err != nil {
		panic(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	fmt.Println(names, err)
}

func ExampleParseConfig() {
	cfg, err := pgxfair.ParseConfig("postgres://app@db.example.com/app?pool_max_conns=20")
	if err != nil {
		panic(err)
	}
	cfg.TenantSetting = "app.tenant" // for policies of row-level security
	cfg.ResetSession = pgxfair.ResetDirty
	cfg.Sharing.Tenants = map[string]fairshare.Share{"batch": {Weight: 0.5, Max: 5}}
	fmt.Println(cfg.MaxConns, "connections to", cfg.ConnConfig.Host)
	// Output: 20 connections to db.example.com
}

func ExampleConfig() {
	_, err := pgxfair.NewWithConfig(context.Background(), &pgxfair.Config{})
	fmt.Println(err)
	// Output: pgxfair: Config is not made by ParseConfig
}

func ExamplePool() {
	db, err := pgxfair.New(context.Background(), "postgres://app@127.0.0.1:1/app?pool_max_conns=20")
	if err != nil {
		panic(err)
	}
	db.Close()
	_, err = db.Exec(context.Background(), "select 1")
	fmt.Println(err)
	// Output: pool: acquire for tenant "": closed
}

func ExamplePool_Tenant() {
	ctx := context.Background()
	db, err := pgxfair.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	defer db.Close()
	acme := db.Tenant("acme")
	err = pgx.BeginFunc(ctx, acme, func(tx pgx.Tx) error { // the connection is acme's until its end
		_, err := tx.Exec(ctx, "update accounts set balance = balance - 1")
		return err
	})
	fmt.Println(err)
}

func ExampleTenant() {
	db, err := pgxfair.New(context.Background(), "postgres://app@127.0.0.1:1/app")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	fmt.Println(db.Tenant("acme").Name())
	// Output: acme
}

func ExampleConn_Revoked() {
	ctx := context.Background()
	cfg, err := pgxfair.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	cfg.Reclaim = pool.Reclaim{After: 1e9, Grace: 5e9}
	db, err := pgxfair.NewWithConfig(ctx, cfg)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	err = db.Tenant("export").AcquireFunc(ctx, func(c *pgxfair.Conn) error {
		for page := range 1000 {
			select {
			case <-c.Revoked(): // others wait: go on later
				return fmt.Errorf("export: %d pages done: %w", page, pool.ErrRevoked)
			default:
			}
			if _, err := c.Exec(ctx, "call export_page($1)", page); err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(err)
}

func ExampleStat() {
	db, err := pgxfair.New(context.Background(), "postgres://app@127.0.0.1:1/app?pool_max_conns=20")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	s := db.Stat()
	fmt.Println(s.AcquiredConns(), "of", s.MaxConns())
	// Output: 0 of 20
}

func ExampleResetSession() {
	cfg, err := pgxfair.ParseConfig("postgres://app@db.example.com/app")
	if err != nil {
		panic(err)
	}
	cfg.ResetSession = pgxfair.ResetAlways // tenants run SQL of their own
	fmt.Println(cfg.ResetSession == pgxfair.ResetAlways)
	// Output: true
}
