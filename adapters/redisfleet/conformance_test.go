package redisfleet_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/fairpool/fairpool/adapters/fleet/conformance"
	"github.com/fairpool/fairpool/adapters/redisfleet"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

var names atomic.Int64

func engine(t testing.TB, client redis.UniversalClient) *redisfleet.Engine {
	e, err := redisfleet.New(client, fmt.Sprint("fleet-", names.Add(1)))
	require.NoError(t, err)
	return e
}

func connect(t *testing.T, server *throwaway.Redis) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestRedisConforms(t *testing.T) {
	client := connect(t, throwaway.RedisFor(t, throwaway.RedisConfig{}))
	conformance.Run(t, func(t *testing.T) conformance.Engine { return engine(t, client) })
}
