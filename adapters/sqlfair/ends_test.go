package sqlfair_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestATransactionOutlivesTheCloseOfItsDBAndWhoWaitsDoesNot(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	for name, connector := range drivers {
		db, p := open(t, connector(t, server, "postgres"), sqlfair.Config{MaxOpenConns: 1, Tenancy: sqlfair.PostgresTenant("app.tenant")})
		tx, err := db.BeginTx(as("a"), nil)
		require.NoError(t, err)
		rows, err := tx.Query("SELECT generate_series(1, 10)")
		require.NoError(t, err)
		require.True(t, rows.Next())
		waiting := make(chan error)
		go func() { waiting <- db.PingContext(as("b")) }()
		wait(t, "b waits", func() bool { return p.Stats().Waiting == 1 })
		require.NoError(t, db.Close())
		require.ErrorIs(t, <-waiting, pool.ErrClosed, name)
		require.Equal(t, 1, p.Stats().InUse)
		for rows.Next() {
		}
		require.NoError(t, rows.Err(), name)
		require.NoError(t, tx.Commit(), name)
		require.Zero(t, db.Stats().InUse)
	}
}

func TestACallThatIsRefusedHarmsNeitherTransactionNorConnection(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	gone, cancel := context.WithCancel(as("a"))
	cancel()
	for name, connector := range drivers {
		for _, tenancy := range []sqlfair.Tenancy{{}, sqlfair.PostgresTenant("app.tenant")} {
			db, p := open(t, connector(t, server, "postgres"), sqlfair.Config{MaxOpenConns: 1, Tenancy: tenancy})
			for range 10 {
				require.ErrorIs(t, db.PingContext(gone), context.Canceled)
				tx, err := db.BeginTx(as("a"), nil)
				require.NoError(t, err)
				_, err = tx.ExecContext(gone, "SELECT 1")
				require.ErrorIs(t, err, context.Canceled)
				_, err = tx.ExecContext(as("b"), "SELECT 1")
				require.ErrorIs(t, err, sqlfair.ErrOtherTenant)
				_, err = tx.Exec("SELECT 1")
				require.NoError(t, err, name)
				require.NoError(t, tx.Commit(), name)
				require.ErrorIs(t, tx.Rollback(), sql.ErrTxDone)
			}
			require.EqualValues(t, 1, p.Stats().Built, name)
		}
	}
}

// Its Rows are open when the context ends.
func TestATransactionWhoseContextEndsLeavesNothingToTheNext(t *testing.T) {
	server, _ := secured(t)
	for name, connector := range drivers {
		db, _ := open(t, connector(t, server, "app"), sqlfair.Config{MaxOpenConns: 1, Tenancy: sqlfair.PostgresTenant("app.tenant")})
		for range 10 {
			ctx, cancel := context.WithCancel(as("tenant-7"))
			tx, err := db.BeginTx(ctx, nil)
			require.NoError(t, err)
			_, err = tx.Exec("INSERT INTO orders VALUES ('tenant-7', 99)")
			require.NoError(t, err)
			rows, err := tx.Query("SELECT tenant FROM orders, generate_series(1, 10000)")
			require.NoError(t, err)
			require.True(t, rows.Next())
			cancel()
			var foreign, mine int
			require.NoError(t, db.QueryRowContext(as("tenant-8"), "SELECT count(*) FROM orders WHERE tenant <> 'tenant-8'").Scan(&foreign), name)
			require.Zero(t, foreign, name)
			require.Error(t, tx.Commit(), name)
			rows.Close()
			require.NoError(t, db.QueryRowContext(as("tenant-7"), "SELECT count(*) FROM orders WHERE n = 99").Scan(&mine), name)
			require.Zero(t, mine, "it was rolled back")
		}
	}
}
