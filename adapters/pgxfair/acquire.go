package pgxfair

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/pgx/v5"
)

// queries are the methods that Pool and Tenant have in common.
type queries struct {
	pool   *Pool
	tenant string // "" is that of the context
}

// Acquire waits for the tenant's turn and a connection. It returns a
// *pool.AcquireError if ctx ends first, the pool is closed, the tenant's queue is
// full, or no connection can be made. The caller releases the connection.
func (q *queries) Acquire(ctx context.Context) (c *Conn, err error) {
	tenant := q.tenant
	if tenant == "" {
		tenant = fairshare.TenantFrom(ctx)
	}
	if tracer := q.pool.acquire; tracer != nil {
		ctx = tracer.TraceAcquireStart(ctx, q.pool, TraceAcquireStartData{Tenant: tenant})
		defer func() {
			var conn *pgx.Conn
			told := false
			if c != nil {
				conn = c.Conn()
				defer c.releaseUnless(&told)
			}
			tracer.TraceAcquireEnd(ctx, q.pool, TraceAcquireEndData{Tenant: tenant, Conn: conn, Err: err})
			told = true
		}()
	}
	if err := q.pool.bindable(tenant); err != nil {
		return nil, err
	}
	return q.pool.lend(ctx, tenant)
}

// lend leases a connection that is fit. It may come upon as many that are not as
// there can be, and then is to get a new one.
func (p *Pool) lend(ctx context.Context, tenant string) (*Conn, error) {
	err := errUnfit
	for range int64(p.config.MaxConns) + 1 {
		lease, fault := p.fair.Acquire(ctx, tenant)
		if errors.Is(fault, errLost) && ctx.Err() == nil {
			err = fault
			continue
		}
		if fault != nil {
			return nil, fault
		}
		c := &Conn{pool: p, lease: lease, session: lease.Value(), tenant: tenant}
		c.session.enter()
		if fault := p.lives(ctx, c); fault != nil {
			c.discard()
			if ctx.Err() != nil {
				return nil, fmt.Errorf("pgxfair: acquire for tenant %s: %w", quote(tenant), fault)
			}
			continue
		}
		if p.prepareConn == nil {
			return c, nil
		}
		ok, fault := p.prepare(ctx, c)
		switch {
		case fault != nil:
			return nil, fault
		case ok:
			return c, nil
		}
	}
	return nil, err
}

var errUnfit = errors.New("pgxfair: every connection was unfit, new ones too")

// lives pings a connection that was idle when another one was lost.
func (p *Pool) lives(ctx context.Context, c *Conn) error {
	losses := p.losses.Load()
	if c.session.losses == losses || p.config.ShouldPing != nil {
		return nil
	}
	err := c.session.conn.Ping(ctx)
	if err == nil {
		c.session.losses = losses
	}
	return err
}

// prepare calls PrepareConn, and returns the connection unless all is well.
func (p *Pool) prepare(ctx context.Context, c *Conn) (ok bool, err error) {
	unfit := true
	defer func() {
		if unfit { // or the hook has panicked
			c.discard()
		}
	}()
	ok, err = p.prepareConn(ctx, c.session.conn)
	unfit = !ok
	if ok && err != nil {
		c.Release()
	}
	return ok, err
}

// discard is Release of a connection that is unfit.
func (c *Conn) discard() {
	if c.ended.CompareAndSwap(false, true) {
		c.session.leave()
		c.lease.Destroy()
	}
}

// AcquireFunc acquires a connection, calls f with it and releases it. ctx is for
// the former only. It returns the error of either.
func (q *queries) AcquireFunc(ctx context.Context, f func(*Conn) error) error {
	c, err := q.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	return f(c)
}
