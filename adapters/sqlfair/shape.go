package sqlfair

import (
	"context"
	"database/sql/driver"
)

// shape adds to c the optional interfaces for which it matters to database/sql
// whether they are there: with ExecerContext and QueryerContext arguments are
// checked before there is a statement; SessionResetter, beside Validator, says
// that a transaction can be rolled back without closing the connection.
func (s *session) shape(c *conn) driver.Conn {
	const (
		execs = 1 << iota
		queries
		resets
	)
	has := 0
	switch s.Conn.(type) {
	case driver.ExecerContext, driver.Execer: //lint:ignore SA1019 drivers still have it
		has |= execs
	}
	switch s.Conn.(type) {
	case driver.QueryerContext, driver.Queryer: //lint:ignore SA1019 drivers still have it
		has |= queries
	}
	if _, ok := s.Conn.(driver.SessionResetter); ok {
		if _, ok := s.Conn.(driver.Validator); ok {
			has |= resets
		}
	}
	switch has {
	case execs | queries | resets:
		return struct {
			*conn
			execer
			queryer
			resetter
		}{c, execer{c}, queryer{c}, resetter{}}
	case execs | queries:
		return struct {
			*conn
			execer
			queryer
		}{c, execer{c}, queryer{c}}
	case execs | resets:
		return struct {
			*conn
			execer
			resetter
		}{c, execer{c}, resetter{}}
	case queries | resets:
		return struct {
			*conn
			queryer
			resetter
		}{c, queryer{c}, resetter{}}
	case execs:
		return struct {
			*conn
			execer
		}{c, execer{c}}
	case queries:
		return struct {
			*conn
			queryer
		}{c, queryer{c}}
	case resets:
		return struct {
			*conn
			resetter
		}{c, resetter{}}
	}
	return c
}

type (
	execer   struct{ c *conn }
	queryer  struct{ c *conn }
	resetter struct{}
)

func (e execer) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := e.c.admit(ctx); err != nil {
		return nil, err
	}
	r, err := e.c.exec(ctx, query, args)
	return r, e.c.note(ctx, err)
}

func (q queryer) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := q.c.admit(ctx); err != nil {
		return nil, err
	}
	r, err := q.c.query(ctx, query, args)
	return r, q.c.note(ctx, err)
}

// ResetSession is never called: database/sql uses no connection twice.
func (resetter) ResetSession(context.Context) error { return driver.ErrBadConn }
