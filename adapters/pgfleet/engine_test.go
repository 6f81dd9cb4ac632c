package pgfleet_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/fleet/conformance"
	"github.com/fairpool/fairpool/adapters/pgfleet"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

var request = fleet.Request{Process: "p", Seq: 1, Most: 10, Fresh: true, Terms: fleet.Terms{
	Version: 1, Capacity: 10, TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second,
}}

func TestWorksThroughPgBouncer(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	bouncer := throwaway.PgBouncerFor(t, server, throwaway.PgBouncerConfig{PoolSize: 2})
	db := connect(t, bouncer.URL("postgres"))
	require.NoError(t, pgfleet.Migrate(t.Context(), db))
	conformance.Run(t, func(t *testing.T) conformance.Engine { return engine(t, db) }, "Linearizable", "Rules", "OwnTime")
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	db := connect(t, server.URL("postgres"))
	_, err := pgfleet.New(t.Context(), nil, "name")
	require.EqualError(t, err, "pgfleet: db is nil")
	_, err = pgfleet.New(t.Context(), db, "")
	require.ErrorContains(t, err, `pgfleet: name is ""`)
	_, err = pgfleet.New(t.Context(), db, "name")
	require.ErrorContains(t, err, "pgfleet: the schema is not installed: run Migrate")

	var group sync.WaitGroup // Migrate may be run by all at once, and again
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := pgfleet.Migrate(context.Background(), db); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()

	// A role without permission, and one with those that Schema names.
	for _, sql := range []string{"CREATE ROLE poor LOGIN", "CREATE ROLE rich LOGIN"} {
		_, err = db.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	_, err = pgfleet.New(t.Context(), connect(t, server.URLFor("poor", "postgres")), "name")
	require.ErrorContains(t, err, "pgfleet: no permission")
	_, err = db.Exec(t.Context(), "GRANT USAGE ON SCHEMA fairpool TO poor, rich")
	require.NoError(t, err)
	_, err = pgfleet.New(t.Context(), connect(t, server.URLFor("poor", "postgres")), "name")
	require.ErrorContains(t, err, "pgfleet: no permission to write")
	_, err = db.Exec(t.Context(), "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fairpool TO rich")
	require.NoError(t, err)
	rich, err := pgfleet.New(t.Context(), connect(t, server.URLFor("rich", "postgres")), "name")
	require.NoError(t, err)
	reply, err := rich.Sync(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, fleet.OK, reply.Status)

	_, err = db.Exec(t.Context(), "CREATE OR REPLACE FUNCTION fairpool.fleet_version() RETURNS int LANGUAGE sql AS 'SELECT 9'")
	require.NoError(t, err)
	_, err = pgfleet.New(t.Context(), db, "name")
	require.ErrorContains(t, err, "the schema has version 9, this package needs 1")
}

func TestAStepIsOnDiskWhateverTheDefault(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{Settings: map[string]string{"synchronous_commit": "off"}})
	db := connect(t, server.URL("postgres"))
	require.NoError(t, pgfleet.Migrate(t.Context(), db))
	e := engine(t, db)
	r := request
	for range 20 { // a crash right after the answer loses nothing
		reply, err := e.Sync(t.Context(), r)
		require.NoError(t, err)
		require.Zero(t, reply.Learning)
		r.Token, r.Hold, r.Seq = reply.Token, reply.Grant, r.Seq+1
	}
	require.NoError(t, server.Stop(throwaway.Immediate))
	require.NoError(t, server.Start(t.Context()))
	require.Eventually(t, func() bool { return db.Ping(t.Context()) == nil }, 20*time.Second, 50*time.Millisecond)
	_, err := e.Sync(t.Context(), r)
	require.Error(t, err, "its connection has ended")
	r.Seq++
	reply, err := e.Sync(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, fleet.OK, reply.Status)
	require.Zero(t, reply.Learning, "neither a lost write nor another timeline")
}

func TestFencerEndsTheSessionsOfOneProcess(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	db := connect(t, server.URL("postgres"))
	open := func(process string, token int64) *pgx.Conn {
		cfg, err := pgx.ParseConfig(server.URL("postgres"))
		require.NoError(t, err)
		cfg.RuntimeParams["application_name"] = pgfleet.ApplicationName(process, token)
		conn, err := pgx.ConnectConfig(t.Context(), cfg)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	// One of the sessions is busy.
	lost, busy, newer, other := open("p", 1), open("p", 1), open("p", 2), open("q", 1)
	slept := make(chan error, 1)
	go func() {
		_, err := busy.Exec(context.Background(), "SELECT pg_sleep(60)")
		slept <- err
	}()
	f := pgfleet.Fencer{DB: db}
	require.NoError(t, f.Fence(t.Context(), "p", 1))
	require.Error(t, lost.Ping(t.Context()))
	require.Error(t, <-slept)
	require.NoError(t, newer.Ping(t.Context()))
	require.NoError(t, other.Ping(t.Context()))
	require.NoError(t, f.Fence(t.Context(), "p", 1), "again")

	// A role that may not end them.
	_, err := db.Exec(t.Context(), "CREATE ROLE poor LOGIN")
	require.NoError(t, err)
	require.ErrorContains(t, pgfleet.Fencer{DB: connect(t, server.URLFor("poor", "postgres"))}.Fence(t.Context(), "q", 1), "pgfleet: fence: ")
	require.NoError(t, other.Ping(t.Context()))
	require.EqualError(t, pgfleet.Fencer{}.Fence(t.Context(), "q", 1), "pgfleet: Fencer.DB is nil")
	require.LessOrEqual(t, len(pgfleet.ApplicationName("p", 1<<62)), 33)
}
