//go:build unix

package pgfleet_test

import (
	"context"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/fleet/faults"
	"github.com/fairpool/fairpool/adapters/pgfleet"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	faults.Main(m, func(addr, name string) (fleet.Engine, error) {
		db, err := pgxpool.New(context.Background(), "postgres://postgres@"+addr+"/postgres?sslmode=disable")
		if err != nil {
			return nil, err
		}
		for {
			engine, err := pgfleet.New(context.Background(), db, name)
			if err == nil {
				return engine, nil
			}
			time.Sleep(100 * time.Millisecond) // it may be down
		}
	})
}

func TestFaults(t *testing.T) { faults.Run(t, target(t, throwaway.PostgresConfig{})) }

func TestFaultsOfTheClock(t *testing.T) {
	faults.Run(t, target(t, throwaway.PostgresConfig{SettableClock: true}), "TheEnginesClockIsSet")
}

func target(t *testing.T, cfg throwaway.PostgresConfig) faults.Target {
	server := throwaway.PostgresFor(t, cfg)
	db := connect(t, server.URL("postgres"))
	require.NoError(t, pgfleet.Migrate(t.Context(), db))
	broken := faults.Target{
		Addr:  server.Addr(),
		Kill:  func() error { return server.Stop(throwaway.Immediate) },
		Start: func() error { return server.Start(context.Background()) },
		Forget: func(name string) error {
			_, err := db.Exec(context.Background(), "DELETE FROM fairpool.fleet_state WHERE name = $1", name)
			return err
		},
		Standby: func(t *testing.T) (string, func() error, func() error) {
			standby := throwaway.PostgresFor(t, throwaway.PostgresConfig{Primary: server})
			replica := connect(t, standby.URL("postgres"))
			detach := func() error {
				for _, sql := range []string{"ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()"} {
					if _, err := replica.Exec(context.Background(), sql); err != nil {
						return err
					}
				}
				return nil
			}
			promote := func() error {
				_, err := replica.Exec(context.Background(), "SELECT pg_promote()")
				return err
			}
			return standby.Addr(), detach, promote
		},
	}
	if cfg.SettableClock {
		broken.SetClock = server.SetClock
	}
	return broken
}
