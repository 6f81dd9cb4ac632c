package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const conns = 8

// A database is what the two pools have in common.
type database interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Close()
}

// A contender is one of the pools.
type contender struct {
	name string
	database
}

// A scope is for how long the server is told the tenant.
type scope int

const (
	never scope = iota
	inSession
	inTransaction
)

// contenders opens both pools, with as many connections, all open.
func contenders(ctx context.Context, url string, told scope) ([2]contender, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return [2]contender{}, err
	}
	cfg.MaxConns = conns
	plain := cfg.Copy()
	if told == inSession { // what one writes with pgxpool
		plain.PrepareConn = func(ctx context.Context, c *pgx.Conn) (bool, error) {
			_, err := c.Exec(ctx, set, fairshare.TenantFrom(ctx))
			return err == nil, err
		}
		plain.AfterRelease = func(c *pgx.Conn) bool {
			_, err := c.Exec(context.Background(), set, "")
			return err == nil
		}
	}
	one, err := pgxpool.NewWithConfig(ctx, plain)
	if err != nil {
		return [2]contender{}, err
	}
	fair := &pgxfair.Config{Config: cfg}
	if told != never {
		fair.TenantSetting = "app.tenant"
	}
	if told == inTransaction {
		fair.TenantBinding = pgxfair.BindTransaction
	}
	other, err := pgxfair.NewWithConfig(ctx, fair)
	if err != nil {
		one.Close()
		return [2]contender{}, err
	}
	both := [2]contender{{"pgxpool", one}, {"pgxfair", other}}
	if told == inTransaction {
		both[0].database = transacting{one}
	}
	first := rand.IntN(2) // to connect
	for i := range both {
		c := both[(first+i)%2]
		if err := warm(ctx, c); err != nil {
			one.Close()
			other.Close()
			return both, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return both, nil
}

const (
	set      = "select pg_catalog.set_config('app.tenant', $1, false)"
	setLocal = "select pg_catalog.set_config('app.tenant', $1, true)"
)

// transacting has the tenant be told in a transaction for each query, as one
// writes it with pgxpool.
type transacting struct{ *pgxpool.Pool }

func (t transacting) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	err = pgx.BeginFunc(ctx, t.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setLocal, fairshare.TenantFrom(ctx)); err != nil {
			return err
		}
		tag, err = tx.Exec(ctx, sql, args...)
		return err
	})
	return tag, err
}

func (t transacting) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return scanning(func(dest ...any) error {
		return pgx.BeginFunc(ctx, t.Pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, setLocal, fairshare.TenantFrom(ctx)); err != nil {
				return err
			}
			return tx.QueryRow(ctx, sql, args...).Scan(dest...)
		})
	})
}

type scanning func(dest ...any) error

func (s scanning) Scan(dest ...any) error { return s(dest...) }

// warm opens all connections.
func warm(ctx context.Context, c contender) error {
	done := make(chan error)
	for range conns {
		go func() {
			_, err := c.Exec(ctx, "select pg_sleep(0.2)")
			done <- err
		}()
	}
	var err error
	for range conns {
		if e := <-done; e != nil {
			err = e
		}
	}
	return err
}

// quantile returns the value that a part q of all is below.
func quantile[T time.Duration | float64](all []T, q float64) T {
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

func median[T time.Duration | float64](all []T) T { return quantile(all, 0.5) }

// quartiles shows ratios: the median, and the half of them that lies around it.
func quartiles(ratios []float64) string {
	return fmt.Sprintf("%.3f (%.3f-%.3f)", median(ratios), quantile(ratios, 0.25), quantile(ratios, 0.75))
}
