package redisfleet_test

import (
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/redisfleet"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

var request = fleet.Request{Process: "p", Seq: 1, Most: 10, Fresh: true, Terms: fleet.Terms{
	Version: 1, Capacity: 10, TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second,
}}

func TestNewSaysWhatIsWrong(t *testing.T) {
	_, err := redisfleet.New(nil, "name")
	require.EqualError(t, err, "redisfleet: client is nil")
	client := redis.NewClient(&redis.Options{})
	defer client.Close()
	for _, name := range []string{"", "a{b}"} {
		_, err = redisfleet.New(client, name)
		require.ErrorContains(t, err, "redisfleet: name is ")
	}
}

func TestCheckWarnsOfWhatForgets(t *testing.T) {
	poor := throwaway.RedisFor(t, throwaway.RedisConfig{Settings: map[string]string{
		"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru",
	}})
	client := redis.NewClient(&redis.Options{Addr: poor.Addr()})
	defer client.Close()
	warnings, err := engine(t, client).Check(t.Context())
	require.NoError(t, err)
	require.Len(t, warnings, 4)
	require.Contains(t, warnings[0], "maxmemory-policy is allkeys-lru")
	require.Contains(t, warnings[1], "appendonly is no")
	require.Contains(t, warnings[2], "MaxRetries")
	require.Contains(t, warnings[3], "ContextTimeoutEnabled")

	good := connect(t, throwaway.RedisFor(t, throwaway.RedisConfig{Persist: true}))
	warnings, err = engine(t, good).Check(t.Context())
	require.NoError(t, err)
	require.Empty(t, warnings)
}

func TestErrorsOfTheServerAreTold(t *testing.T) {
	server := throwaway.RedisFor(t, throwaway.RedisConfig{})
	client := connect(t, server)

	// No permission.
	require.NoError(t, client.Do(t.Context(), "ACL", "SETUSER", "poor", "on", "nopass", "~*", "+get").Err())
	poor := redis.NewClient(&redis.Options{Addr: server.Addr(), Username: "poor", Password: "x", MaxRetries: -1, ContextTimeoutEnabled: true})
	defer poor.Close()
	_, err := engine(t, poor).Sync(t.Context(), request)
	require.ErrorContains(t, err, "redisfleet: NOPERM")

	// Those that the documentation names are enough.
	require.NoError(t, client.Do(t.Context(), append([]any{"ACL", "SETUSER", "rich", "on", "nopass", "~fleet:{*}:*"},
		"+eval", "+evalsha", "+info", "+time", "+get", "+set", "+del", "+hget", "+hset", "+hdel", "+hgetall", "+hmget")...).Err())
	rich := redis.NewClient(&redis.Options{Addr: server.Addr(), Username: "rich", Password: "x", MaxRetries: -1, ContextTimeoutEnabled: true})
	defer rich.Close()
	e := engine(t, rich)
	reply, err := e.Sync(t.Context(), request)
	require.NoError(t, err)

	// A script that was flushed is sent again.
	require.NoError(t, client.ScriptFlush(t.Context()).Err())
	next := request
	next.Token, next.Seq = reply.Token, 2
	_, err = e.Sync(t.Context(), next)
	require.NoError(t, err)

	// A state of another format, and something that is none.
	other, err := redisfleet.New(client, "other")
	require.NoError(t, err)
	require.NoError(t, client.Set(t.Context(), "fleet:{other}:state", "\x81\xa6format\x02", 0).Err())
	_, err = other.Sync(t.Context(), request)
	require.ErrorContains(t, err, "the state has format 2")
	require.NoError(t, client.Set(t.Context(), "fleet:{other}:state", "\xc1", 0).Err())
	_, err = other.Sync(t.Context(), request)
	require.ErrorContains(t, err, "redisfleet: ")

	// A server that has gone.
	require.NoError(t, server.Stop())
	_, err = e.Sync(t.Context(), next)
	require.ErrorContains(t, err, "redisfleet: ")
}
