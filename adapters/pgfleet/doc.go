// Package pgfleet keeps the state of a fleet in PostgreSQL: an Engine for
// package fleet, as one PL/pgSQL function, and a Fencer that ends the sessions
// of processes that have lost their grant.
//
// Each step is one statement, in a transaction of its own, on rows locked by
// the row of the fleet. There are no session locks, no LISTEN and no prepared
// statements, so that it works through PgBouncer in transaction mode. The
// function has each step written to disk before it answers, whatever
// synchronous_commit says; fsync must be on.
//
// Migrate installs the schema "fairpool", or Schema is run by hand. A failover
// is recognized by the timeline, a server restored from a dump by its system
// identifier: then nothing grows for TTL and Quarantine, until every process
// has told what it has.
package pgfleet
