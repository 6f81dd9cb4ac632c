package pgfleet_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/fairpool/fairpool/adapters/fleet/conformance"
	"github.com/fairpool/fairpool/adapters/pgfleet"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

var names atomic.Int64

func connect(t testing.TB, url string) *pgxpool.Pool {
	db, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

func engine(t testing.TB, db *pgxpool.Pool) *pgfleet.Engine {
	e, err := pgfleet.New(t.Context(), db, fmt.Sprint("fleet-", names.Add(1)))
	require.NoError(t, err)
	return e
}

func TestPostgresConforms(t *testing.T) {
	db := connect(t, throwaway.PostgresFor(t, throwaway.PostgresConfig{}).URL("postgres"))
	require.NoError(t, pgfleet.Migrate(t.Context(), db))
	conformance.Run(t, func(t *testing.T) conformance.Engine { return engine(t, db) })
}
