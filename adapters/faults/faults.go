package main

import (
	"context"
	"os"
	"time"

	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5"
)

const ofPools = " from pg_stat_activity where usename = 'app'"

// faults are those that are run.
var faults = []fault{
	{name: "a backend is killed (SIGKILL), and the server restarts itself", after: 4 * time.Second, happen: func(ctx context.Context, s *stage) error {
		var pid int
		if err := s.ask(ctx, "select pid"+ofPools+" limit 1", &pid); err != nil {
			return err
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			return err
		}
		return p.Kill()
	}},
	{name: "one idle backend of each is terminated, ten times", after: 2 * time.Second, happen: func(ctx context.Context, s *stage) error {
		for range 10 {
			err := s.do(ctx, "select pg_terminate_backend(pid) from (select distinct on (application_name) pid"+ofPools+
				" and state = 'idle' order by application_name, state_change) as one")
			if err != nil {
				return err
			}
			time.Sleep(300 * time.Millisecond)
		}
		return nil
	}},
	{name: "all backends are terminated, three times", after: 3 * time.Second, happen: func(ctx context.Context, s *stage) error {
		for range 3 {
			if err := s.do(ctx, "select pg_terminate_backend(pid)"+ofPools); err != nil {
				return err
			}
			time.Sleep(time.Second)
		}
		return nil
	}},
	{name: "restart, fast", after: 4 * time.Second, happen: func(ctx context.Context, s *stage) error {
		return s.server.Restart(ctx, throwaway.Fast)
	}},
	{name: "restart, immediate", after: 4 * time.Second, happen: func(ctx context.Context, s *stage) error {
		return s.server.Restart(ctx, throwaway.Immediate)
	}},
	{name: "down for four seconds", after: 8 * time.Second, happen: func(ctx context.Context, s *stage) error {
		if err := s.server.Stop(throwaway.Fast); err != nil {
			return err
		}
		time.Sleep(4 * time.Second)
		return s.server.Start(ctx)
	}},
	{name: "down for twelve seconds", after: 8 * time.Second, happen: func(ctx context.Context, s *stage) error {
		if err := s.server.Stop(throwaway.Fast); err != nil {
			return err
		}
		time.Sleep(12 * time.Second)
		return s.server.Start(ctx)
	}},
	{name: "the whole server pauses for five seconds", after: 6 * time.Second, happen: func(ctx context.Context, s *stage) error {
		return s.pause(ctx, 5*time.Second)
	}},
	{
		name: "max_connections are taken by somebody else for four seconds", after: 5 * time.Second,
		config: throwaway.PostgresConfig{Settings: map[string]string{"max_connections": "60"}},
		happen: func(ctx context.Context, s *stage) error { return s.hog(ctx, 4*time.Second) },
	},
	{name: "the primary stops, and its standby is promoted after two seconds", second: true, after: 6 * time.Second, happen: func(ctx context.Context, s *stage) error {
		if err := s.server.Stop(throwaway.Immediate); err != nil {
			return err
		}
		time.Sleep(2 * time.Second)
		return execute(ctx, s.standby.URL("postgres"), "select pg_promote()")
	}},
	{name: "the network drops all connections silently, new ones work", proxy: true, after: 22 * time.Second, happen: func(_ context.Context, s *stage) error {
		s.proxy.drop()
		s.proxy.heal()
		return nil
	}},
	{name: "the network drops everything silently for five seconds", proxy: true, after: 22 * time.Second, happen: func(_ context.Context, s *stage) error {
		s.proxy.drop()
		time.Sleep(5 * time.Second)
		s.proxy.heal()
		return nil
	}},
}

// hog takes every connection that the server has, and terminates those of the
// pools.
func (s *stage) hog(ctx context.Context, lasting time.Duration) error {
	admin, err := pgx.Connect(ctx, s.server.URL("postgres"))
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	var taken []*pgx.Conn
	for end := time.Now().Add(lasting); time.Now().Before(end); {
		c, err := pgx.Connect(ctx, s.server.URL("postgres"))
		if err == nil {
			taken = append(taken, c)
			continue
		}
		if _, err := admin.Exec(ctx, "select pg_terminate_backend(pid)"+ofPools); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, c := range taken {
		c.Close(ctx)
	}
	return nil
}
