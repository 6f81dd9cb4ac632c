package sqlfair_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1")) // it has no end
}

// open returns a DB that the test closes, after which every connection is back
// and none is left.
func open(t testing.TB, connector driver.Connector, cfg sqlfair.Config) (*sql.DB, *sqlfair.Pool) {
	t.Helper()
	db, pool, err := sqlfair.Open(connector, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		wait(t, "every lease is back", func() bool { return pool.Stats().InUse == 0 && pool.Stats().Waiting == 0 })
		require.NoError(t, db.Close())
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, pool.Shutdown(ctx))
	})
	return db, pool
}

// wait waits until a condition holds.
func wait(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			require.FailNow(t, "waited for a minute in vain", what)
		}
	}
}

// as returns a context of a tenant.
func as(tenant string) context.Context {
	return fairshare.WithTenant(context.Background(), tenant)
}
