package pgxfair_test

import (
	"context"
	"database/sql/driver"
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// A bomb is an argument that panics when it is encoded.
type bomb struct{}

func (bomb) Value() (driver.Value, error) { panic("bomb") }

// A server of HTTP goes on after a panic of a handler, so must the pool.
func TestAnArgumentThatPanicsDoesNotCostTheConnection(t *testing.T) {
	const sql = "select $1::text"
	for name, use := range map[string]func(context.Context, *pgxfair.Pool){
		"Exec":     func(ctx context.Context, db *pgxfair.Pool) { db.Exec(ctx, sql, bomb{}) },
		"Query":    func(ctx context.Context, db *pgxfair.Pool) { db.Query(ctx, sql, bomb{}) },
		"QueryRow": func(ctx context.Context, db *pgxfair.Pool) { db.QueryRow(ctx, sql, bomb{}) },
		"SendBatch": func(ctx context.Context, db *pgxfair.Pool) {
			b := &pgx.Batch{}
			b.Queue(sql, bomb{})
			db.SendBatch(ctx, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns = 1 })
			require.Panics(t, func() { use(t.Context(), db) })
			idle(t, db)
			require.NoError(t, db.Ping(t.Context()))
		})
	}
}

// fragile is a tracer that panics where it is told to.
type fragile struct{ where string }

func (f *fragile) at(where string) {
	if f.where == where {
		panic(where)
	}
}

func (f *fragile) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	f.at("QueryStart")
	return ctx
}
func (f *fragile) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) { f.at("QueryEnd") }
func (f *fragile) TraceAcquireStart(ctx context.Context, _ *pgxfair.Pool, _ pgxfair.TraceAcquireStartData) context.Context {
	f.at("AcquireStart")
	return ctx
}
func (f *fragile) TraceAcquireEnd(context.Context, *pgxfair.Pool, pgxfair.TraceAcquireEndData) {
	f.at("AcquireEnd")
}
func (f *fragile) TraceRelease(*pgxfair.Pool, pgxfair.TraceReleaseData) { f.at("Release") }

func TestATracerThatPanicsDoesNotKeepAConnection(t *testing.T) {
	tracer := &fragile{}
	db := open(t, database(t), func(c *pgxfair.Config) { c.MaxConns, c.ConnConfig.Tracer = 1, tracer })
	for _, where := range []string{"AcquireStart", "AcquireEnd", "QueryStart", "QueryEnd", "Release"} {
		for name, use := range map[string]func(){
			"Query": func() {
				r, err := db.Query(t.Context(), "select 1")
				require.NoError(t, err)
				r.Close()
			},
			"Begin": func() {
				tx, err := db.Begin(t.Context())
				require.NoError(t, err)
				tx.Rollback(t.Context())
			},
		} {
			tracer.where = where
			require.PanicsWithValue(t, where, use, name)
			tracer.where = ""
			idle(t, db)
			require.NoError(t, db.Ping(t.Context()), "%s in %s", where, name)
		}
	}
}
