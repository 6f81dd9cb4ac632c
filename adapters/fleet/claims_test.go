package fleet

import (
	"fmt"
	"iter"
	"math"
	"testing"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// waiting is n tenants, the i-th of which holds a slot and waits for i more.
func waiting(n int) iter.Seq2[string, fairshare.TenantStats] {
	return func(yield func(string, fairshare.TenantStats) bool) {
		for i := range n {
			s := fairshare.TenantStats{Share: fairshare.Share{Weight: 2}, Held: 1, Waiting: i}
			if !yield(fmt.Sprintf("tenant %03d", i), s) {
				return
			}
		}
	}
}

func TestTheGreatestClaimsAreNamedAndTheRestIsOne(t *testing.T) {
	var s shares
	claims, rest, own := s.claims(waiting(100), math.MaxInt32)
	require.Len(t, claims, MaxClaims)
	require.Equal(t, Claim{"tenant 099", 100, 2_000_000}, claims[0])
	require.Equal(t, Claim{"", 36 * 37 / 2, 36 * 2_000_000}, rest)
	require.Len(t, own, 100)

	// Its quota is divided by weight.
	semaphore, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	require.NoError(t, err)
	r := Request{Claims: claims, Rest: rest}
	reply := Reply{Scarce: true, Quotas: make([]float64, MaxClaims), Rest: 9}
	reply.Quotas[0] = 5
	require.NoError(t, s.apply(Semaphore(semaphore), r, reply, own))
	require.Equal(t, 5.0, s.set["tenant 099"].weight)
	require.Equal(t, 9.0/36, s.set["tenant 000"].weight)
	require.Len(t, s.set, 100)
	require.NoError(t, s.apply(Semaphore(semaphore), r, Reply{}, own))
	require.Empty(t, s.set, "with enough for everybody the shares are the user's")
}

func TestClaimsAreNotBeyondWhatAProcessCanUse(t *testing.T) {
	var s shares
	for _, most := range []int{0, 1, 5, 20, 54, 1000} {
		claims, _, _ := s.claims(waiting(10), most)
		sum := 0
		for _, c := range claims {
			require.Positive(t, c.Slots)
			sum += c.Slots
		}
		require.LessOrEqual(t, sum, max(most+10, 10), "%d: each is rounded up", most)
		require.GreaterOrEqual(t, sum, min(most, 55))
	}
	capped := func(yield func(string, fairshare.TenantStats) bool) {
		yield("t", fairshare.TenantStats{Share: fairshare.Share{Weight: 1, Max: 3}, Cap: 3, Held: 1, Waiting: 50})
	}
	claims, _, _ := s.claims(capped, 100)
	require.Equal(t, 3, claims[0].Slots, "what its cap forbids a tenant does not claim")
}

func TestTheTimeOfASuspensionCounts(t *testing.T) {
	e := newElapsed()
	if !e.known {
		t.Skip("there is no clock that counts it")
	}
	require.Less(t, e.now(), time.Minute)
	e.booted -= time.Hour // as if Go's clock had stood still for as long
	require.GreaterOrEqual(t, e.now(), time.Hour)
}
