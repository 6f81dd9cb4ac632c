package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// connections is the most that each pool may have.
const connections = 6

// A contender is one of the pools.
type contender struct {
	name  string
	rows  func(ctx context.Context, tenant string) ([]string, error) // of things that the tenant sees
	hold  func(ctx context.Context) (release func(), err error)
	made  func() int // connections, -1 if it is not known
	close func()
}

const (
	look = "select tenant from things"
	set  = "select set_config('app.tenant', $1, false)"
)

// open opens the four pools.
func open(ctx context.Context, url string) ([]contender, error) {
	var all []contender
	for i, open := range []func(context.Context, string) (contender, error){openPgxpool, openPgxfair, openSQL, openSQLfair} {
		c, err := open(ctx, fmt.Sprintf("%s&application_name=pool-%d", url, i)) // by which a fault can tell them apart
		if err != nil {
			for _, c := range all {
				c.close()
			}
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// openPgxpool opens a pool that names the tenant as one writes it.
func openPgxpool(ctx context.Context, url string) (contender, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return contender{}, err
	}
	cfg.MaxConns = connections
	cfg.PrepareConn = func(ctx context.Context, c *pgx.Conn) (bool, error) {
		_, err := c.Exec(ctx, set, fairshare.TenantFrom(ctx))
		return err == nil, err
	}
	p, err := pgxpool.NewWithConfig(ctx, cfg)
	return contender{
		name: "pgxpool",
		rows: func(ctx context.Context, tenant string) ([]string, error) {
			return collect(p.Query(fairshare.WithTenant(ctx, tenant), look))
		},
		hold: func(ctx context.Context) (func(), error) {
			c, err := p.Acquire(ctx)
			if err != nil {
				return nil, err
			}
			return c.Release, nil
		},
		made:  func() int { return int(p.Stat().NewConnsCount()) },
		close: p.Close,
	}, err
}

func openPgxfair(ctx context.Context, url string) (contender, error) {
	cfg, err := pgxfair.ParseConfig(url)
	if err != nil {
		return contender{}, err
	}
	cfg.MaxConns, cfg.TenantSetting = connections, "app.tenant"
	p, err := pgxfair.NewWithConfig(ctx, cfg)
	return contender{
		name: "pgxfair",
		rows: func(ctx context.Context, tenant string) ([]string, error) {
			return collect(p.Tenant(tenant).Query(ctx, look))
		},
		hold: func(ctx context.Context) (func(), error) {
			c, err := p.Acquire(ctx)
			if err != nil {
				return nil, err
			}
			return c.Release, nil
		},
		made:  func() int { return int(p.Stat().NewConnsCount()) },
		close: p.Close,
	}, err
}

func collect(r pgx.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(r, pgx.RowTo[string])
}

// openSQL opens a plain DB that names the tenant as one writes it.
func openSQL(_ context.Context, url string) (contender, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return contender{}, err
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return database("sql.DB", db, func() int { return -1 }, func(ctx context.Context, c *sql.Conn, tenant string) error {
		_, err := c.ExecContext(ctx, set, tenant)
		return err
	}), nil
}

func openSQLfair(_ context.Context, url string) (contender, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return contender{}, err
	}
	db, p, err := sqlfair.Open(stdlib.GetConnector(*cfg), sqlfair.Config{
		MaxOpenConns: connections, Tenancy: sqlfair.PostgresTenant("app.tenant"),
	})
	return database("sqlfair", db, func() int { return int(p.Stats().Built) }, nil), err
}

func database(name string, db *sql.DB, made func() int, bind func(context.Context, *sql.Conn, string) error) contender {
	return contender{
		name: name,
		rows: func(ctx context.Context, tenant string) ([]string, error) {
			ctx = fairshare.WithTenant(ctx, tenant)
			c, err := db.Conn(ctx)
			if err != nil {
				return nil, err
			}
			defer c.Close()
			if bind != nil {
				if err := bind(ctx, c, tenant); err != nil {
					return nil, err
				}
			}
			r, err := c.QueryContext(ctx, look)
			if err != nil {
				return nil, err
			}
			defer r.Close()
			var tenants []string
			for r.Next() {
				var tenant string
				if err := r.Scan(&tenant); err != nil {
					return nil, err
				}
				tenants = append(tenants, tenant)
			}
			return tenants, r.Err()
		},
		hold: func(ctx context.Context) (func(), error) {
			c, err := db.Conn(ctx)
			if err != nil {
				return nil, err
			}
			return func() { c.Close() }, nil
		},
		made:  made,
		close: func() { db.Close() },
	}
}

// capacity returns how many connections can be had at once.
func (c contender) capacity(ctx context.Context) (n int) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for range connections {
		release, err := c.hold(ctx)
		if err != nil {
			break
		}
		defer release()
		n++
	}
	return n
}
