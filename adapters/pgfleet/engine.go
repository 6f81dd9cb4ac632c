package pgfleet

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Schema is what Migrate runs: the files schema.sql, plan.sql and sync.sql. It
// may be run any number of times.
var Schema = tables + "\n" + plan + "\n" + step

var (
	//go:embed schema.sql
	tables string
	//go:embed plan.sql
	plan string
	//go:embed sync.sql
	step string
)

// version is that of the schema, as fairpool.fleet_version tells it.
const version = 1

// A DB runs statements. Of a *pgxpool.Pool or a *pgx.Conn only the settings are
// used: an Engine and a Fencer connect by themselves, so that a sync never waits
// for a dial of somebody else. Any other DB runs the statements itself, and has to
// end them with their context.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Migrate installs or updates the schema. Several may do so at once. The first
// time it needs the permission to create a schema.
func Migrate(ctx context.Context, db DB) error {
	// One simple query is one transaction. The lock ends with it.
	const lock = "SELECT pg_advisory_xact_lock(7276823413170);\n"
	if _, err := db.Exec(ctx, lock+Schema, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("pgfleet: migrate: %w", err)
	}
	return nil
}

// An Engine keeps the state of one fleet in PostgreSQL. All its methods may be
// called from any goroutine, if those of the DB may. It has one connection, which
// it closes when a member leaves and opens again for another.
type Engine struct {
	db   DB
	own  *session // the same as db, nil if the DB is not one of pgx
	name string
}

var _ fleet.Engine = (*Engine)(nil)

// New returns the engine of the fleet of that name. It returns an error if the
// schema is missing, is that of another version, or may not be used. ctx bounds
// the dial and the checks. The caller keeps db, and closes it after the members
// have left.
func New(ctx context.Context, db DB, name string) (*Engine, error) {
	if db == nil {
		return nil, errors.New("pgfleet: db is nil")
	}
	if name == "" || len(name) > 200 {
		return nil, fmt.Errorf("pgfleet: name is %.40q, must be between 1 and 200 bytes long", name)
	}
	e := &Engine{db: db, own: own(db), name: name}
	if e.own != nil {
		e.db = e.own
	}
	if err := e.check(ctx); err != nil {
		if e.own != nil {
			e.own.close(context.WithoutCancel(ctx))
		}
		return nil, err
	}
	return e, nil
}

// check looks at the schema and at what may be done with it.
func (e *Engine) check(ctx context.Context) error {
	var found int
	err := e.db.QueryRow(ctx, "SELECT fairpool.fleet_version()", pgx.QueryExecModeExec).Scan(&found)
	if err != nil {
		return explain(err)
	}
	if found != version {
		return fmt.Errorf("pgfleet: the schema has version %d, this package needs %d: run Migrate of the newer one", found, version)
	}
	var use bool
	err = e.db.QueryRow(ctx, "SELECT has_table_privilege('fairpool.fleet_state', 'INSERT, UPDATE')", pgx.QueryExecModeExec).Scan(&use)
	if err != nil {
		return explain(err)
	}
	if !use {
		return errors.New("pgfleet: no permission to write to fairpool.fleet_state: see the head of Schema for what to grant")
	}
	return nil
}

// explain says what to do about an error, where that is known.
func explain(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code {
		case "3F000", "42883", "42P01":
			return fmt.Errorf("pgfleet: the schema is not installed: run Migrate, or Schema by hand: %w", err)
		case "42501":
			return fmt.Errorf("pgfleet: no permission: see the head of Schema for what to grant: %w", err)
		}
	}
	return fmt.Errorf("pgfleet: %w", err)
}

// Sync is one step of the State, by fairpool.fleet_sync.
func (e *Engine) Sync(ctx context.Context, r fleet.Request) (fleet.Reply, error) {
	return e.SyncAt(ctx, time.Time{}, "", r)
}

const statement = `SELECT * FROM fairpool.fleet_sync(
	$1::text, $2::bigint, $3::text, $4::bytea, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::boolean, $10::boolean,
	$11::bigint, $12::bigint, $13::bigint, $14::bigint, $15::bigint, $16::boolean,
	$17::bytea[], $18::bigint[], $19::bigint[], $20::bigint, $21::bigint, $22::bytea[], $23::bigint[])`

// SyncAt is Sync at a given time of day, if that is not zero, and by a server
// of a given identity: for tests.
func (e *Engine) SyncAt(ctx context.Context, wall time.Time, identity string, r fleet.Request) (fleet.Reply, error) {
	if err := r.Check(); err != nil {
		return fleet.Reply{}, err
	}
	var now int64
	if !wall.IsZero() {
		now = wall.UnixMicro()
	}
	t := r.Terms
	tenants, claims, weights := make([][]byte, len(r.Claims)), make([]int64, len(r.Claims)), make([]int64, len(r.Claims))
	for i, c := range r.Claims {
		tenants[i], claims[i], weights[i] = []byte(c.Tenant), int64(c.Slots), c.Weight
	}
	processes, tokens := make([][]byte, len(r.Fenced)), make([]int64, len(r.Fenced))
	for i, o := range r.Fenced {
		processes[i], tokens[i] = []byte(o.Process), o.Token
	}
	row := e.db.QueryRow(ctx, statement, pgx.QueryExecModeExec,
		e.name, now, identity, []byte(r.Process), r.Token, r.Seq, int64(r.Hold), int64(r.Most), r.Fresh, r.Leave,
		t.Version, int64(t.Capacity), t.TTL.Microseconds(), t.Quarantine.Microseconds(), t.Refresh.Microseconds(), t.Fence,
		tenants, claims, weights, int64(r.Rest.Slots), r.Rest.Weight, processes, tokens)
	reply, err := scan(row, len(r.Claims))
	if err != nil {
		return fleet.Reply{}, explain(err)
	}
	if r.Leave && e.own != nil {
		e.own.close(ctx)
	}
	return reply, nil
}

func scan(row pgx.Row, claims int) (reply fleet.Reply, err error) {
	var ttl, quarantine, refresh int64
	var token, grant, target, learning, used, processes *int64
	var scarce *bool
	var quotas []float64
	var rest *float64
	var fenceProcesses [][]byte
	var fenceTokens []int64
	err = row.Scan(&reply.Status, &reply.Terms.Version, &reply.Terms.Capacity, &ttl, &quarantine, &refresh, &reply.Terms.Fence,
		&token, &grant, &target, &scarce, &quotas, &rest, &learning, &used, &processes, &fenceProcesses, &fenceTokens)
	if err != nil {
		return fleet.Reply{}, err
	}
	micros := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	reply.Terms.TTL, reply.Terms.Quarantine, reply.Terms.Refresh = micros(ttl), micros(quarantine), micros(refresh)
	if reply.Status != fleet.OK {
		return reply, nil
	}
	reply.Token, reply.Grant, reply.Target, reply.Scarce = *token, int(*grant), int(*target), *scarce
	reply.Rest, reply.Learning, reply.Used, reply.Processes = *rest, micros(*learning), int(*used), int(*processes)
	reply.Quotas = make([]float64, claims)
	copy(reply.Quotas, quotas)
	for i, token := range fenceTokens {
		reply.Fence = append(reply.Fence, fleet.Order{Process: string(fenceProcesses[i]), Token: token})
	}
	return reply, nil
}
