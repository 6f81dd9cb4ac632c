package pool_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// What is revoked and returned leaves nothing behind for each lease, however long
// Grace is.
func TestRevocationsThatAreHeededLeaveNothingBehind(t *testing.T) {
	const leases = 20_000
	cfg := sized(2)
	cfg.Reclaim.Grace = 24 * time.Hour
	p := newPool(t, &factory{}, cfg)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for range leases {
		l := acquire(t, p, "a")
		p.Revoke(nil, func(pool.Holder) bool { return true })
		l.Release()
	}
	after := heap()
	require.Less(t, int64(after)-int64(before), int64(leases*50))
	runtime.KeepAlive(p)
}
