//go:build unix

package redisfleet_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/fleet/faults"
	"github.com/fairpool/fairpool/adapters/redisfleet"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	faults.Main(m, func(addr, name string) (fleet.Engine, error) {
		client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true})
		return redisfleet.New(client, name)
	})
}

func TestFaults(t *testing.T) {
	faults.Run(t, target(t, throwaway.RedisConfig{Persist: true}))
}

func TestFaultsOfTheClock(t *testing.T) {
	faults.Run(t, target(t, throwaway.RedisConfig{SettableClock: true}), "TheEnginesClockIsSet")
}

// A server that starts empty each time.
func TestFaultsWithoutData(t *testing.T) {
	faults.Run(t, target(t, throwaway.RedisConfig{}), "TheEngineIsKilled")
}

func target(t *testing.T, cfg throwaway.RedisConfig) faults.Target {
	server := throwaway.RedisFor(t, cfg)
	client := connect(t, server)
	broken := faults.Target{
		Addr:     server.Addr(),
		Pause:    server.Pause,
		Continue: server.Continue,
		Kill:     server.Kill,
		Start:    func() error { return server.Start(context.Background()) },
		Forget: func(string) error {
			// The script has to be sent again too.
			if err := client.ScriptFlush(context.Background()).Err(); err != nil {
				return err
			}
			return client.FlushAll(context.Background()).Err()
		},
		Standby: func(t *testing.T) (string, func() error, func() error) {
			replica := throwaway.RedisFor(t, throwaway.RedisConfig{})
			host, port, err := net.SplitHostPort(server.Addr())
			require.NoError(t, err)
			standby := connect(t, replica)
			require.NoError(t, standby.ReplicaOf(t.Context(), host, port).Err())
			require.Eventually(t, func() bool {
				_, err := standby.Get(t.Context(), "no such key").Result()
				info := standby.Info(t.Context(), "replication").Val()
				return err == redis.Nil && strings.Contains(info, "master_link_status:up")
			}, 20*time.Second, 20*time.Millisecond)
			detach := func() error { return standby.ReplicaOf(context.Background(), "NO", "ONE").Err() }
			return replica.Addr(), detach, func() error { return nil }
		},
	}
	if cfg.SettableClock {
		broken.SetClock = server.SetClock
	}
	return broken
}
