package pgxfair

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// An AcquireTracer, as ConnConfig.Tracer, is told of each Acquire, also of those
// that Exec and the like make. It is that of pgxpool, with the tenant. The tracers
// of pgx itself, QueryTracer and so on, work as with any connection; statements
// that the pool runs for itself are not traced. Tracers with the methods of
// pgxpool, such as otelpgx's, are told too, of a nil *pgxpool.Pool.
type AcquireTracer interface {
	// TraceAcquireStart is called at the beginning of Acquire. The context that
	// it returns is used for the rest of the call.
	TraceAcquireStart(ctx context.Context, pool *Pool, data TraceAcquireStartData) context.Context
	// TraceAcquireEnd is called when a connection was acquired, or not.
	TraceAcquireEnd(ctx context.Context, pool *Pool, data TraceAcquireEndData)
}

// TraceAcquireStartData is what is known at the beginning of an Acquire.
type TraceAcquireStartData struct{ Tenant string }

// TraceAcquireEndData is what has become of an Acquire. Conn is nil if there is
// an error.
type TraceAcquireEndData struct {
	Tenant string
	Conn   *pgx.Conn
	Err    error
}

// A ReleaseTracer, as ConnConfig.Tracer, is told of the end of each use of a
// connection.
type ReleaseTracer interface {
	// TraceRelease is called at the beginning of Release.
	TraceRelease(pool *Pool, data TraceReleaseData)
}

// TraceReleaseData says whose use of which connection has ended.
type TraceReleaseData struct {
	Tenant string
	Conn   *pgx.Conn
}

// tracers returns what a tracer of pgx, of this package or of pgxpool wants to
// know of acquires and releases, nil for nothing.
func tracers(t pgx.QueryTracer) (acquire AcquireTracer, release ReleaseTracer) {
	acquire, _ = t.(AcquireTracer)
	release, _ = t.(ReleaseTracer)
	if plain, ok := t.(pgxpool.AcquireTracer); ok {
		acquire = plainAcquires{plain}
	}
	if plain, ok := t.(pgxpool.ReleaseTracer); ok {
		release = plainReleases{plain}
	}
	return acquire, release
}

type plainAcquires struct{ tracer pgxpool.AcquireTracer }

func (p plainAcquires) TraceAcquireStart(ctx context.Context, _ *Pool, _ TraceAcquireStartData) context.Context {
	return p.tracer.TraceAcquireStart(ctx, nil, pgxpool.TraceAcquireStartData{})
}

func (p plainAcquires) TraceAcquireEnd(ctx context.Context, _ *Pool, data TraceAcquireEndData) {
	p.tracer.TraceAcquireEnd(ctx, nil, pgxpool.TraceAcquireEndData{Conn: data.Conn, Err: data.Err})
}

type plainReleases struct{ tracer pgxpool.ReleaseTracer }

func (p plainReleases) TraceRelease(_ *Pool, data TraceReleaseData) {
	p.tracer.TraceRelease(nil, pgxpool.TraceReleaseData{Conn: data.Conn})
}
