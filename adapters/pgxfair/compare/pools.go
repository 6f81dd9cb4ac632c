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

// contenders opens both pools, with as many connections, all open, and with the
// tenant in the session if bound.
func contenders(ctx context.Context, url string, bound bool) ([2]contender, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return [2]contender{}, err
	}
	cfg.MaxConns = conns
	plain := cfg.Copy()
	if bound { // what one writes with pgxpool
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
	if bound {
		fair.TenantSetting = "app.tenant"
	}
	other, err := pgxfair.NewWithConfig(ctx, fair)
	if err != nil {
		one.Close()
		return [2]contender{}, err
	}
	both := [2]contender{{"pgxpool", one}, {"pgxfair", other}}
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

const set = "select pg_catalog.set_config('app.tenant', $1, false)"

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
