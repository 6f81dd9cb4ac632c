package pgxfair

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// An AcquireTracer, as ConnConfig.Tracer, is told of each Acquire, also of those
// that Exec and the like make. It is that of pgxpool, with the tenant. The tracers
// of pgx itself, QueryTracer and so on, work as with any connection; statements
// that the pool runs for itself are not traced.
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
