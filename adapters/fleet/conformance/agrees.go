package conformance

import (
	"testing"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/stretchr/testify/require"
)

// agrees compares an engine with the State over random histories, to the bit.
func agrees(t *testing.T, create func(t *testing.T) Engine) {
	seen := make(map[string]int)
	for seed := range uint64(rounds(8)) {
		engine := create(t)
		h := newHistory(seed)
		var state fleet.State
		for step := range 250 {
			m, r := h.next()
			if r.Check() != nil {
				continue
			}
			want := state.Sync(h.wall, h.identity, clone(r))
			got, err := engine.SyncAt(t.Context(), h.wall, h.identity, clone(r))
			require.NoError(t, err, "seed %d, step %d: %+v", seed, step, r)
			require.Equal(t, plain(want), plain(got), "seed %d, step %d: %+v", seed, step, r)
			count(seen, want)
			h.learned(m, want)
		}
	}
	for _, what := range []string{"ok", "stale", "expired", "fenced", "mismatch", "scarce", "learning", "orders"} {
		require.Positive(t, seen[what], "the histories never come to %s", what)
	}
}

func count(seen map[string]int, r fleet.Reply) {
	seen[r.Status.String()]++
	for what, is := range map[string]bool{"scarce": r.Scarce, "learning": r.Learning > 0, "orders": len(r.Fence) > 0} {
		if is {
			seen[what]++
		}
	}
}

// plain makes no difference between what is empty and what is nil.
func plain(r fleet.Reply) fleet.Reply {
	if len(r.Quotas) == 0 {
		r.Quotas = nil
	}
	if len(r.Fence) == 0 {
		r.Fence = nil
	}
	return r
}
