package pgxfair

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A Conn is a connection that a tenant has acquired from a Pool. It is used by
// one goroutine at a time, until Release or Hijack.
type Conn struct {
	pool    *Pool
	lease   pool.Lease[*session]
	session *session
	tenant  string
	ended   atomic.Bool
}

// Release returns the connection to the pool. One that is closed, in a
// transaction or in the midst of reading results is closed instead. Further calls
// do nothing.
func (c *Conn) Release() {
	if !c.ended.CompareAndSwap(false, true) {
		return
	}
	defer c.giveBack() // also if the tracer panics
	if tracer := c.pool.release; tracer != nil {
		tracer.TraceRelease(c.pool, TraceReleaseData{Tenant: c.lease.Tenant(), Conn: c.session.conn})
	}
}

// releaseUnless is deferred where somebody else is to have the connection in the
// end, for what comes before may panic: an argument that is encoded, a tracer.
func (c *Conn) releaseUnless(kept *bool) {
	if !*kept {
		c.Release()
	}
}

func (c *Conn) giveBack() {
	s := c.session
	s.holder.Store(nil)
	broken := s.broken()
	if s.conn.IsClosed() {
		c.pool.losses.Add(1)
	}
	if c.pool.config.ShouldPing != nil {
		s.used = time.Now()
	}
	s.leave()
	if broken {
		c.lease.Destroy()
	} else {
		c.lease.Release()
	}
}

// inTx reports whether a transaction is open on the connection and c may still
// end it.
func (c *Conn) inTx() bool { return !c.ended.Load() && c.session.conn.PgConn().TxStatus() != 'I' }

// Hijack takes the connection out of the pool, which may make another: the
// caller closes it. The TenantSetting stays as it is. It panics if the connection
// was released, hijacked or taken back before. Where connections may be taken back
// use TryHijack.
func (c *Conn) Hijack() *pgx.Conn {
	conn, ok := c.TryHijack()
	if !ok {
		panic("pgxfair: Hijack of a connection that was released, hijacked or taken back")
	}
	return conn
}

// TryHijack is Hijack, and reports whether the caller has got the connection.
func (c *Conn) TryHijack() (*pgx.Conn, bool) {
	if !c.ended.CompareAndSwap(false, true) {
		return nil, false
	}
	s, ok := c.lease.TryHijack()
	if !ok {
		return nil, false
	}
	s.hijacked.Store(true)
	c.pool.backends.leave(s)
	return s.conn, true
}

// Conn returns the connection itself, for as long as c is not released. It
// panics afterwards: somebody else may have the connection by then.
func (c *Conn) Conn() *pgx.Conn {
	if c.ended.Load() {
		panic("pgxfair: use of a connection that was released or hijacked")
	}
	return c.session.conn
}

// Tenant returns the name of the tenant that acquired the connection, "" after
// its release.
func (c *Conn) Tenant() string { return c.lease.Tenant() }

// Revoked returns a channel that is closed when the pool asks for the connection
// back, see Config.Reclaim.
func (c *Conn) Revoked() <-chan struct{} { return c.lease.Revoked() }

// Context returns a context for work with the connection. It is done when parent
// is, or when the pool asks for the connection back, with a cause that wraps
// pool.ErrRevoked; and the pool knows from it that a call comes from the holder of
// a connection, see pool.Guard. The caller calls cancel when the work is over.
func (c *Conn) Context(parent context.Context) (ctx context.Context, cancel context.CancelFunc) {
	return c.lease.Context(parent)
}

// Exec is that of pgx.Conn.
func (c *Conn) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	conn := c.Conn()
	if c.local() {
		return c.execBound(ctx, sql, arguments)
	}
	return conn.Exec(ctx, sql, arguments...)
}

// Query is that of pgx.Conn.
func (c *Conn) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	conn := c.Conn()
	if c.local() {
		return c.queryBound(ctx, sql, args)
	}
	return conn.Query(ctx, sql, args...)
}

// QueryRow is that of pgx.Conn.
func (c *Conn) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	conn := c.Conn()
	if c.local() {
		return c.queryRowBound(ctx, sql, args)
	}
	return conn.QueryRow(ctx, sql, args...)
}

// SendBatch is that of pgx.Conn.
func (c *Conn) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	conn := c.Conn()
	if c.local() {
		return c.sendBatchBound(ctx, b)
	}
	return conn.SendBatch(ctx, b)
}

// CopyFrom is that of pgx.Conn.
func (c *Conn) CopyFrom(ctx context.Context, tableName pgx.Identifier, columnNames []string, rowSrc pgx.CopyFromSource) (int64, error) {
	conn := c.Conn()
	if c.local() {
		return c.copyBound(ctx, tableName, columnNames, rowSrc)
	}
	return conn.CopyFrom(ctx, tableName, columnNames, rowSrc)
}

// Begin is that of pgx.Conn.
func (c *Conn) Begin(ctx context.Context) (pgx.Tx, error) { return c.BeginTx(ctx, pgx.TxOptions{}) }

// BeginTx is that of pgx.Conn.
func (c *Conn) BeginTx(ctx context.Context, txOptions pgx.TxOptions) (pgx.Tx, error) {
	conn := c.Conn()
	if c.local() {
		return c.beginBound(ctx, txOptions)
	}
	return conn.BeginTx(ctx, txOptions)
}

// Ping is that of pgx.Conn.
func (c *Conn) Ping(ctx context.Context) error { return c.Conn().Ping(ctx) }
