package sqlfair

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/pool"
)

// A session is a connection of the driver, as the pool keeps it.
type session struct {
	driver.Conn
	source *source

	// using is held by whoever may call methods of Conn: the lease, or a hook.
	// It is what the destructor waits for.
	using sync.Mutex
	ended atomic.Bool // no more calls but Close

	used       bool   // by a tenant
	backend    uint32 // the process of the server, with BindPooledSession
	verified   uint64 // source.breaks when it was known to work last
	statements *statements

	// For the hooks.
	db   *sql.DB
	conn *sql.Conn
}

// build is the constructor.
func (s *source) build(ctx context.Context) (driver.Conn, error) {
	verified := s.breaks.Load()
	c, err := s.connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errors.New("sqlfair: the connector returned no connection")
	}
	own := &session{
		Conn: c, source: s, verified: verified,
		statements: newStatements(s.config.PreparedStatements),
	}
	err = s.config.Tenancy.checkSession(ctx, own)
	if err == nil {
		err = s.checkRole(ctx, own)
	}
	if err != nil {
		own.end()
		return nil, err
	}
	return own, nil
}

// goodbye is how long the place of a connection waits for its Close. One that the
// server confirms by then leaves no more than MaxOpenConns there. Of a silent one
// nothing can be known: its place is free, and its Close goes on.
const goodbye = time.Second

// end is the destructor. It waits for the holder of a lease that was revoked.
func (c *session) end() {
	c.source.backends.leave(c)
	c.ended.Store(true)
	c.using.Lock()
	closed := make(chan any, 1)
	go func() {
		defer c.using.Unlock()
		defer func() { closed <- recover() }()
		if c.db != nil {
			defer c.db.Close() // has no idle connection, so does not wait
		}
		c.statements.close()
		c.Conn.Close()
	}()
	patience := time.NewTimer(goodbye)
	defer patience.Stop()
	select {
	case fault := <-closed:
		if fault != nil {
			panic(fault) // to the pool, which reports it
		}
	case <-patience.C:
	}
}

// refresh makes a connection ready for the next tenant, as database/sql does
// for one that was used before.
func (c *session) refresh(ctx context.Context) error {
	if c.used {
		if r, ok := c.Conn.(driver.SessionResetter); ok {
			if err := r.ResetSession(ctx); err != nil {
				return err
			}
		}
	}
	breaks := c.source.breaks.Load()
	if c.verified != breaks {
		p, ok := c.Conn.(driver.Pinger)
		if !ok {
			return driver.ErrBadConn
		}
		if err := p.Ping(ctx); err != nil {
			return err
		}
		c.verified = breaks
	}
	return nil
}

// sql returns the connection as the hooks get it.
func (c *session) sql(ctx context.Context) (*sql.Conn, error) {
	if c.conn == nil {
		c.db = sql.OpenDB(only{c})
		var err error
		if c.conn, err = c.db.Conn(ctx); err != nil {
			return nil, err
		}
	}
	return c.conn, nil
}

// only is a connector that has one connection.
type only struct{ *session }

func (o only) Connect(context.Context) (driver.Conn, error) {
	return o.shape(&conn{session: o.session}), nil
}

func (o only) Driver() driver.Driver { return o.source.Driver() }

// bind is the pool's Prepare.
func (s *source) bind(ctx context.Context, resource driver.Conn, h pool.Handover) error {
	c := resource.(*session)
	c.using.Lock()
	defer c.using.Unlock()
	if err := c.refresh(ctx); err != nil {
		return err
	}
	conn, err := c.sql(ctx)
	if err != nil {
		return err
	}
	return s.config.Tenancy.Bind(ctx, conn, h.Tenant)
}

// reset is the pool's Reset.
func (s *source) reset(ctx context.Context, resource driver.Conn) error {
	c := resource.(*session)
	c.using.Lock()
	defer c.using.Unlock()
	conn, err := c.sql(ctx)
	if err != nil {
		return err
	}
	return s.config.Tenancy.Reset(ctx, conn)
}

// ping is the pool's Check.
func (s *source) ping(ctx context.Context, resource driver.Conn) error {
	c := resource.(*session)
	c.using.Lock()
	defer c.using.Unlock()
	return pingOn(ctx, c.Conn)
}
