package pooltest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/fairpool/fairpool/pool"
	"github.com/fairpool/fairpool/pool/pooltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestALeaseForATestBehavesLikeAnyOther(t *testing.T) {
	t.Run("released", func(t *testing.T) {
		lease := pooltest.Lease(t, "acme", "a connection")
		require.Equal(t, "acme", lease.Tenant())
		require.Equal(t, "a connection", lease.Value())
		lease.Release()
		lease.Release()
		require.Panics(t, func() { lease.Value() })
	})
	t.Run("destroyed", func(t *testing.T) { pooltest.Lease(t, "acme", 1).Destroy() })
	t.Run("hijacked", func(t *testing.T) { require.Equal(t, 1, pooltest.Lease(t, "acme", 1).Hijack()) })
	t.Run("left to the end of the test", func(t *testing.T) { pooltest.Lease(t, "", 1) })
}

func TestALeaseForATestLivesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, 1, pooltest.Lease(t, "acme", 1).Value())
	})
}

// What needs a resource for a while asks for no more than Do. Its test uses a real pool, whose time is virtual.
func TestARealPoolRunsInVirtualTime(t *testing.T) {
	type doer interface {
		Do(ctx context.Context, tenant string, fn func(context.Context, string) error) error
	}
	report := func(conns doer) error {
		return conns.Do(context.Background(), "acme", func(ctx context.Context, conn string) error {
			time.Sleep(time.Hour)
			return ctx.Err()
		})
	}
	synctest.Test(t, func(t *testing.T) {
		conns, err := pool.New(pool.Config[string]{
			Constructor: func(context.Context) (string, error) { return "a connection", nil },
			MaxSize:     1,
		})
		require.NoError(t, err)
		defer conns.Close()
		require.NoError(t, report(conns))
		require.EqualValues(t, 1, conns.Stats().Acquired)
	})
}
