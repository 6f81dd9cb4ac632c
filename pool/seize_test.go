package pool_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// The race detector looks on: what a caller reads of its slot before it has its
// lease, nobody else writes when the lease is taken back for good and its tenant
// charged for the next build.
func TestALeaseThatIsTakenBackForGoodIsReadByNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(1)
		cfg.Health.Check = func(context.Context, *thing) error { return nil }
		cfg.Reclaim = pool.Reclaim{After: time.Second, Grace: time.Second}
		p := newPool(t, &factory{}, cfg)
		var hog sync.WaitGroup
		hog.Go(func() {
			_, err := p.Acquire(background, "hog") // never given back
			require.NoError(t, err)
		})
		time.Sleep(time.Millisecond)
		begin(background, p, "other").granted(t).Release()
		hog.Wait()
		require.EqualValues(t, 1, p.Stats().Retired[pool.Revoked])
	})
}
