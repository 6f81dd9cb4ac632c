package throwaway

import (
	"context"
	"errors"
	"os"
)

// TB is what PostgresFor, PgBouncerFor and RedisFor want of a *testing.T or
// *testing.B.
type TB interface {
	Helper()
	Cleanup(func())
	Context() context.Context
	Failed() bool
	Log(args ...any)
	Skip(args ...any)
	Fatal(args ...any)
}

// PostgresFor starts a PostgreSQL server that ends with the test. If it is not
// installed the test is skipped, or, if the environment variable
// FAIRPOOL_REQUIRE_ALL is set, fails. The log of a server that a failed test has
// used becomes part of the test's.
func PostgresFor(t TB, cfg PostgresConfig) *Postgres {
	t.Helper()
	p, err := StartPostgres(t.Context(), cfg)
	Need(t, err)
	endWith(t, p.server, p.Close)
	return p
}

// PgBouncerFor is PostgresFor for a PgBouncer.
func PgBouncerFor(t TB, db *Postgres, cfg PgBouncerConfig) *PgBouncer {
	t.Helper()
	b, err := StartPgBouncer(t.Context(), db, cfg)
	Need(t, err)
	endWith(t, b.server, b.Close)
	return b
}

// RedisFor is PostgresFor for a Redis server.
func RedisFor(t TB, cfg RedisConfig) *Redis {
	t.Helper()
	r, err := StartRedis(t.Context(), cfg)
	Need(t, err)
	endWith(t, r.server, r.Close)
	return r
}

// ProgramFor returns the path of a program that the test needs, as look finds it.
// A nil look finds it in PATH or where packages put it. If look returns an error
// the program counts as not installed, and the test is skipped or fails as with
// PostgresFor.
//
// If the environment variable FAIRPOOL_HIDE is set, a list of names with commas or
// "all", these programs count as not installed here and for the servers too.
func ProgramFor(t TB, name string, look func() (string, error)) string {
	t.Helper()
	if look == nil {
		look = func() (string, error) { return find(name) }
	}
	path, err := look()
	if err != nil || hidden(name) {
		Need(t, missing(name))
	}
	return path
}

// Need ends the test unless err is nil. If it wraps a *MissingError, or
// errors.ErrUnsupported, the test is skipped unless the environment variable
// FAIRPOOL_REQUIRE_ALL is set.
func Need(t TB, err error) {
	t.Helper()
	var missing *MissingError
	switch {
	case err == nil:
	case (errors.As(err, &missing) || errors.Is(err, errors.ErrUnsupported)) && os.Getenv("FAIRPOOL_REQUIRE_ALL") == "":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

func endWith(t TB, s *server, close func() error) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.name + " log ends with:\n" + s.logTail())
		}
		if err := close(); err != nil {
			t.Log(err)
		}
	})
}
