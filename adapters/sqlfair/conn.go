package sqlfair

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/pool"
)

// ErrOtherTenant is the error of a call on a Conn or Tx whose context carries
// the name of another tenant than the one that the connection is leased to.
var ErrOtherTenant = errors.New("sqlfair: the connection is leased to another tenant")

// A conn is a lease as database/sql sees it: a connection that is opened for one
// caller and closed when that is done. database/sql calls its methods one at a
// time.
type conn struct {
	session *session
	lease   pool.Lease[driver.Conn]
	tenant  string
	lent    bool // there is a lease; else it is for a hook

	inTx   bool // with BindTransaction
	doomed bool // it may be in a transaction that nobody ends
	closed bool
	sound  bool            // database/sql would keep it
	failed bool            // a call has failed, or was cancelled
	last   context.Context // of the last call that can be cancelled
}

// Unwrap returns the connection of the driver, given what Conn.Raw of a DB
// passes to its function. It returns anything else as it is, so that code that
// uses it works with a DB of any other origin too.
func Unwrap(driverConn any) any {
	if c, ok := driverConn.(interface{ driverConn() driver.Conn }); ok {
		return c.driverConn()
	}
	return driverConn
}

func (c *conn) of() *session               { return c.session }
func (c *conn) driverConn() driver.Conn    { return c.session.Conn }
func (c *session) driverConn() driver.Conn { return c.Conn }

// admit lets a call pass unless the connection is not there for it.
func (c *conn) admit(ctx context.Context) error {
	if c.closed {
		return driver.ErrBadConn
	}
	if !c.lent {
		return nil
	}
	if c.session.ended.Load() {
		return pool.ErrRevoked
	}
	if ctx.Done() != nil {
		if err := ctx.Err(); err != nil {
			return err // before it costs the connection
		}
		c.failed = c.failed || c.last != nil && c.last.Err() != nil
		c.last = ctx
	}
	if t := c.session.source.tenant(ctx); t != "" && t != c.tenant {
		return fmt.Errorf("%w: to %q, but used for %q", ErrOtherTenant, c.tenant, t)
	}
	return nil
}

// note takes note of the error of a call, and returns it.
func (c *conn) note(ctx context.Context, err error) error {
	if err == nil || err == driver.ErrSkip {
		return err
	}
	c.failed = true
	if errors.Is(err, driver.ErrBadConn) && ctx.Err() == nil {
		c.session.source.breaks.Add(1)
	}
	return err
}

// Prepare is not called by database/sql: there is PrepareContext.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	s, err := c.session.prepare(ctx, query)
	if err == nil && c.binds() != nil {
		s = c.bound(s, query)
	}
	return s, c.note(ctx, err)
}

// Begin is not called by database/sql: there is BeginTx.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	tx, err := c.begin(ctx, opts)
	return tx, c.note(ctx, err)
}

func (c *conn) Ping(ctx context.Context) error {
	if err := c.admit(ctx); err != nil {
		return err
	}
	return c.note(ctx, pingOn(ctx, c.session.Conn))
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	return checkOn(c.session.Conn, v)
}

// IsValid is what database/sql calls when it is done with a connection that it
// has no reason to throw away. What follows is Close: it must not be used again.
func (c *conn) IsValid() bool {
	c.sound = !c.closed && !c.doomed && !c.session.ended.Load() && c.isWell()
	return false
}

// isWell finds out whether the connection is broken before it costs somebody
// else time. Many drivers have no other way to tell than to try a reset.
func (c *conn) isWell() bool {
	if v, ok := c.session.Conn.(driver.Validator); ok && !v.IsValid() {
		return false
	}
	if c.failed || c.last != nil && c.last.Err() != nil {
		if r, ok := c.session.Conn.(driver.SessionResetter); ok {
			ctx, cancel := context.WithTimeout(context.Background(), wellWithin)
			defer cancel()
			return r.ResetSession(ctx) == nil
		}
	}
	return true
}

// wellWithin is how long a connection may take to reset after a call that
// failed.
const wellWithin = 5 * time.Second

// Close ends the lease.
func (c *conn) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	if !c.lent {
		return nil
	}
	c.session.using.Unlock()
	if c.sound {
		c.lease.Release()
	} else {
		c.lease.Destroy()
	}
	return nil
}
