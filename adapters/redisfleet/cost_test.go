package redisfleet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// BenchmarkSync is a fleet of 500 processes, each of which syncs once a second
// with claims of 64 of 10,000 tenants. Beside the time of a round trip it
// reports the processor time of the server, in all and as a part of one core
// when each process syncs once a second, and the longest script, which is the
// one that makes a new plan; that is wall-clock time, of a machine that may have
// other work.
func BenchmarkSync(b *testing.B) {
	for _, size := range []struct{ processes, claims, tenants int }{{5, 8, 20}, {50, 64, 1000}, {500, 64, 10_000}} {
		b.Run(fmt.Sprintf("%d processes, %d of %d tenants", size.processes, size.claims, size.tenants), func(b *testing.B) {
			server := throwaway.RedisFor(b, throwaway.RedisConfig{})
			client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
			defer client.Close()
			e := engine(b, client)
			requests := make([]fleet.Request, size.processes)
			wall := time.UnixMicro(1_700_000_000_000_000)
			random := rand.New(rand.NewPCG(1, 2))
			step := func(i int) {
				r := &requests[i%size.processes]
				r.Seq++
				r.Claims = r.Claims[:0]
				first := random.IntN(size.tenants)
				for j := range size.claims {
					r.Claims = append(r.Claims, fleet.Claim{Tenant: fmt.Sprint("tenant-", (first+j)%size.tenants), Slots: 1 + random.IntN(4), Weight: 1_000_000})
				}
				wall = wall.Add(time.Second / time.Duration(size.processes))
				reply, err := e.SyncAt(context.Background(), wall, "", *r)
				require.NoError(b, err)
				require.Equal(b, fleet.OK, reply.Status)
				r.Token, r.Hold = reply.Token, reply.Grant
			}
			for i := range requests {
				requests[i] = fleet.Request{Process: fmt.Sprint("process-", i), Fresh: true, Most: 100, Terms: fleet.Terms{
					Version: 1, Capacity: 4 * size.processes, TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second,
				}}
			}
			for i := range 2 * size.processes {
				step(i)
			}
			require.NoError(b, client.ConfigResetStat(context.Background()).Err())
			before := processor(b, client)
			b.ResetTimer()
			for i := range b.N {
				step(i)
			}
			b.StopTimer()
			each := (processor(b, client) - before) / float64(b.N)
			b.ReportMetric(1e6*each, "server-µs/op")
			b.ReportMetric(100*each*float64(size.processes), "%core")
			slow := client.SlowLogGet(context.Background(), 128).Val()
			longest := time.Duration(0)
			for _, s := range slow {
				longest = max(longest, s.Duration)
			}
			b.ReportMetric(longest.Seconds()*1e3, "longest-ms")
		})
	}
}

// processor is the time that the server has used, in seconds.
func processor(b *testing.B, client *redis.Client) (sum float64) {
	info := client.Info(context.Background(), "cpu").Val()
	for _, found := range regexp.MustCompile(`used_cpu_(?:sys|user):([0-9.]+)`).FindAllStringSubmatch(info, -1) {
		seconds, err := strconv.ParseFloat(found[1], 64)
		require.NoError(b, err)
		sum += seconds
	}
	return sum
}
