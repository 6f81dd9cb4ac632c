package main

import (
	"context"
	"fmt"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A database is what the API wants of one, and what pgxpool and pgxfair both are.
type database interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Close()
}

// tenants are those of the database: one with much to do, and four others.
var tenants = []string{"batch", "web-1", "web-2", "web-3", "web-4"}

// createSchema makes a table of orders of which everybody but the administrator
// sees the rows of the tenant that the session is for.
func createSchema(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	for _, sql := range []string{
		`create role app login`,
		`create table orders (
			tenant text not null default current_setting('app.tenant'),
			id bigint generated always as identity primary key,
			item text not null,
			price numeric not null
		)`,
		`create index on orders (tenant, id)`,
		`alter table orders enable row level security`,
		`create policy own on orders using (tenant = current_setting('app.tenant'))`,
		`grant select, insert on orders to app`,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	for _, tenant := range tenants {
		if _, err := conn.Exec(ctx, `insert into orders (tenant, item, price)
			select $1, 'item ' || n, n % 100 from generate_series(1, 1000) n`, tenant); err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, "analyze orders")
	return err
}

// openPlain opens a pool that serves first come, first served. What pgxfair does
// for a TenantSetting is done by hand.
func openPlain(ctx context.Context, url string) (database, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	const set = "select set_config('app.tenant', $1, false)"
	config.PrepareConn = func(ctx context.Context, c *pgx.Conn) (bool, error) {
		_, err := c.Exec(ctx, set, fairshare.TenantFrom(ctx))
		return err == nil, err
	}
	config.AfterRelease = func(c *pgx.Conn) bool {
		_, err := c.Exec(context.Background(), set, "")
		return err == nil
	}
	return pgxpool.NewWithConfig(ctx, config)
}
