package fleet

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestStateAgreesWithItsTwin draws histories of processes that behave, or not
// quite, over an unreliable network and engine, and checks beside the twin what
// has to hold at every step.
func TestStateAgreesWithItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := Terms{
			Version: 1, Capacity: rapid.SampledFrom([]int{0, 1, 3, 6, 40}).Draw(t, "capacity"),
			TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second, Fence: rapid.Bool().Draw(t, "fence"),
		}
		var state State
		var dumb twin
		type client struct {
			token, seq int64
			grant      int
		}
		clients := make([]client, 4)
		wall, identity := time.UnixMicro(1_700_000_000_000_000), "one"
		var orders []Order
		var newest int64
		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			wall = wall.Add(rapid.SampledFrom([]time.Duration{
				0, time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond, time.Second, 3 * time.Second, time.Hour, -time.Hour,
			}).Draw(t, "pass"))
			if rapid.IntRange(0, 40).Draw(t, "other engine") == 0 {
				identity += "'"
			}
			if rapid.IntRange(0, 20).Draw(t, "version") == 0 {
				terms.Version++
				terms.Capacity = rapid.IntRange(0, 20).Draw(t, "capacity")
			}
			i := rapid.IntRange(0, len(clients)-1).Draw(t, "client")
			c := &clients[i]
			c.seq++
			r := Request{
				Process: fmt.Sprint("process ", i), Token: c.token, Seq: c.seq, Most: rapid.SampledFrom([]int{1000, 1000, 3}).Draw(t, "most"),
				Hold: rapid.IntRange(0, c.grant).Draw(t, "hold"), Terms: terms, Fresh: true,
				Leave: rapid.IntRange(0, 20).Draw(t, "leave") == 0, Fenced: orders,
			}
			orders = nil
			switch rapid.IntRange(0, 40).Draw(t, "trouble") {
			case 0:
				r.Token = 0
			case 1:
				r.Token = newest + 3
			case 2:
				r.Hold += 2
			case 3:
				r.Seq = max(1, r.Seq-2)
			}
			if r.Token == 0 {
				r.Hold = 0
			}
			for i, weight := range [...]int64{1e6, 2e6, 5e5} {
				tenant := string(rune('a' + i))
				if n := rapid.IntRange(0, 12).Draw(t, tenant); n > 0 {
					r.Claims = append(r.Claims, Claim{tenant, n, weight})
				}
			}
			if n := rapid.IntRange(-20, 20).Draw(t, "rest"); n > 0 {
				r.Rest = Claim{"", n, int64(n) * 1e6}
			}
			require.NoError(t, r.Check())
			used, learning := state.used, state.learning > 0
			got := state.Sync(wall, identity, r)
			want := dumb.sync(wall, identity, r)
			for i := range want.Quotas {
				require.InDelta(t, want.Quotas[i], got.Quotas[i], 1e-6, "step %d", step)
			}
			require.InDelta(t, want.Rest, got.Rest, 1e-6)
			want.Quotas, want.Rest = got.Quotas, got.Rest
			if dumb.close && want.Target != got.Target {
				return
			}
			dumb.close = false
			require.Equal(t, want, got, "step %d: %+v", step, r)

			// Grants and quarantine are within the capacity, unless that was
			// lowered, or they were before the engine knew.
			sum := 0
			for _, p := range state.processes {
				sum += p.grant
			}
			for _, q := range state.quarantine {
				sum += q.grant
			}
			require.Equal(t, sum, state.used)
			if got.Status == OK && !learning && state.learning == 0 {
				require.LessOrEqual(t, state.used, max(used, state.terms.Capacity))
			}
			if got.Status == OK {
				if r.Token == 0 {
					require.Greater(t, got.Token, newest, "tokens grow")
				}
				newest = max(newest, got.Token)
				if r.Leave {
					c.token, c.grant = 0, 0
				} else {
					require.GreaterOrEqual(t, got.Grant, r.Hold, "what is attested stays granted")
					c.token, c.grant = got.Token, got.Grant
				}
				orders = append(orders, got.Fence...)
			} else if got.Status != Stale {
				c.token, c.grant = 0, 0
			}
		}
	})
}
