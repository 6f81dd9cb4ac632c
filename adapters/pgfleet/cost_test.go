package pgfleet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/pgfleet"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// BenchmarkSync is a fleet whose processes sync in turn, once a second each in
// the time of the engine, with claims of many tenants. It reports how much of
// the time one connection would be busy at that rate, and the longest sync,
// which is the one that makes a new plan.
func BenchmarkSync(b *testing.B) {
	server := throwaway.PostgresFor(b, throwaway.PostgresConfig{})
	db := connect(b, server.URL("postgres"))
	require.NoError(b, pgfleet.Migrate(b.Context(), db))
	for _, size := range []struct{ processes, claims, tenants int }{{5, 8, 20}, {50, 64, 1000}, {500, 64, 10_000}} {
		b.Run(fmt.Sprintf("%d processes, %d of %d tenants", size.processes, size.claims, size.tenants), func(b *testing.B) {
			e := engine(b, db)
			requests := make([]fleet.Request, size.processes)
			wall := time.UnixMicro(1_700_000_000_000_000)
			random := rand.New(rand.NewPCG(1, 2))
			step := func(i int) time.Duration {
				r := &requests[i%size.processes]
				r.Seq++
				r.Claims = r.Claims[:0]
				first := random.IntN(size.tenants)
				for j := range size.claims {
					r.Claims = append(r.Claims, fleet.Claim{Tenant: fmt.Sprint("tenant-", (first+j)%size.tenants), Slots: 1 + random.IntN(4), Weight: 1_000_000})
				}
				wall = wall.Add(time.Second / time.Duration(size.processes))
				start := time.Now()
				reply, err := e.SyncAt(context.Background(), wall, "", *r)
				took := time.Since(start)
				require.NoError(b, err)
				require.Equal(b, fleet.OK, reply.Status)
				r.Token, r.Hold = reply.Token, reply.Grant
				return took
			}
			for i := range requests {
				requests[i] = fleet.Request{Process: fmt.Sprint("process-", i), Fresh: true, Most: 100, Terms: fleet.Terms{
					Version: 1, Capacity: 4 * size.processes, TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second,
				}}
			}
			for i := range 2 * size.processes {
				step(i)
			}
			b.ResetTimer()
			var sum, longest time.Duration
			for i := range b.N {
				took := step(i)
				sum += took
				longest = max(longest, took)
			}
			b.ReportMetric(100*sum.Seconds()/float64(b.N)*float64(size.processes), "%busy")
			b.ReportMetric(longest.Seconds()*1e3, "longest-ms")
		})
	}
}
