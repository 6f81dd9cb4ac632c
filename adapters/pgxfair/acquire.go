package pgxfair

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
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
		c, fit, fault := p.fit(ctx, tenant, lease)
		if fault != nil {
			return nil, fault
		}
		if fit {
			return c, nil
		}
	}
	return nil, err
}

// fit returns the connection of a lease if it lives and PrepareConn agrees.
func (p *Pool) fit(ctx context.Context, tenant string, lease pool.Lease[*session]) (c *Conn, fit bool, err error) {
	s, ok := lease.TryValue()
	if !ok { // taken back already
		return nil, false, nil
	}
	c = &Conn{pool: p, lease: lease, session: s, tenant: tenant}
	c.session.enter()
	fit, err = p.lives(ctx, c)
	if err != nil {
		return nil, false, fmt.Errorf("pgxfair: acquire for tenant %s: %w", quote(tenant), err)
	}
	if !fit {
		return nil, false, nil
	}
	holder := tenant // not a pointer into c, which would never be lost then
	c.session.holder.Store(&holder)
	if p.prepareConn == nil {
		return c, true, nil
	}
	fit, err = p.prepare(ctx, c)
	return c, fit, err
}

var errUnfit = errors.New("pgxfair: every connection was unfit, new ones too")

// lives pings a connection that was idle when another one was lost. One that is
// dead is closed. One that does not answer soon is left behind until it does, or
// PingTimeout is over: there may be others. The error is that of ctx.
func (p *Pool) lives(ctx context.Context, c *Conn) (fit bool, err error) {
	losses := p.losses.Load()
	if c.session.losses == losses || p.config.ShouldPing != nil {
		return true, nil
	}
	answer := make(chan error, 1)
	go func() {
		limit := p.config.PingTimeout
		if limit == 0 {
			limit = defaultPingTimeout
		}
		ctx, cancel := context.WithTimeout(p.values, limit)
		defer cancel()
		answer <- c.session.conn.Ping(ctx)
	}()
	judge := func(fault error) bool {
		if fault != nil {
			c.discard()
			return false
		}
		c.session.losses = losses
		return true
	}
	soon := time.NewTimer(pingPatience)
	defer soon.Stop()
	select {
	case fault := <-answer:
		return judge(fault), nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-soon.C:
	}
	go func() {
		if judge(<-answer) && c.ended.CompareAndSwap(false, true) {
			c.giveBack()
		}
	}()
	return false, err
}

const (
	defaultPingTimeout = 5 * time.Second
	// pingPatience is how long a caller waits for a connection to answer before
	// it looks for another one.
	pingPatience = 50 * time.Millisecond
)

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
		c.session.holder.Store(nil)
		c.session.leave()
		c.lease.Destroy()
	}
}

// AcquireAllIdle acquires the connections that are idle now, as many as the
// tenant may have, and waits for none. The caller releases them.
func (q *queries) AcquireAllIdle(ctx context.Context) []*Conn {
	tenant := q.tenant
	if tenant == "" {
		tenant = fairshare.TenantFrom(ctx)
	}
	conns := []*Conn{}
	if q.pool.bindable(tenant) != nil {
		return conns
	}
	for range q.pool.fair.Stats().Warm {
		lease, ok := q.pool.fair.TryAcquire(tenant)
		if !ok {
			break
		}
		if c, fit, err := q.pool.fit(ctx, tenant, lease); fit && err == nil {
			conns = append(conns, c)
		}
	}
	return conns
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
