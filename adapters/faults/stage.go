package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5"
)

// A stage is what a fault happens to.
type stage struct {
	server  *throwaway.Postgres
	standby *throwaway.Postgres // or nil
	proxy   *proxy              // or nil
	url     string              // that the pools connect to
}

// newStage starts the servers of a fault. The caller closes what it returns, also
// with an error.
func newStage(ctx context.Context, f fault) (s *stage, err error) {
	s = &stage{}
	config := f.config
	if f.second {
		config.Settings = map[string]string{"wal_level": "replica", "max_wal_senders": "5", "hot_standby": "on"}
	}
	if s.server, err = throwaway.StartPostgres(ctx, config); err != nil {
		return s, err
	}
	err = execute(ctx, s.server.URL("postgres"),
		"create role app login",
		"create table things (tenant text, n int)",
		"insert into things select 'tenant-' || t, n from generate_series(0, 4) t, generate_series(1, 3) n",
		"grant select on things to app",
		"alter table things enable row level security",
		"create policy own on things using (tenant = current_setting('app.tenant', true))",
		"checkpoint",
	)
	if err != nil {
		return s, err
	}
	const options = "/postgres?sslmode=disable&connect_timeout=2"
	s.url = "postgres://app@" + s.server.Addr() + options
	if f.second {
		config.Primary = s.server
		if s.standby, err = throwaway.StartPostgres(ctx, config); err != nil {
			return s, err
		}
		s.url = "postgres://app@" + s.server.Addr() + "," + s.standby.Addr() + options + "&target_session_attrs=read-write"
		time.Sleep(time.Second) // it follows
	}
	if f.proxy {
		if s.proxy, err = newProxy(s.server.Addr()); err != nil {
			return s, err
		}
		s.url = "postgres://app@" + s.proxy.listener.Addr().String() + options
	}
	return s, nil
}

func (s *stage) close() error {
	var errs []error
	if s.proxy != nil {
		s.proxy.close()
	}
	for _, p := range []*throwaway.Postgres{s.standby, s.server} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}

// do executes a statement as the administrator.
func (s *stage) do(ctx context.Context, sql string) error {
	return execute(ctx, s.server.URL("postgres"), sql)
}

// ask is do for a statement that returns a value.
func (s *stage) ask(ctx context.Context, sql string, value any) error {
	c, err := pgx.Connect(ctx, s.server.URL("postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return c.QueryRow(ctx, sql).Scan(value)
}

func execute(ctx context.Context, url string, statements ...string) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, sql := range statements {
		if _, err := c.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}
