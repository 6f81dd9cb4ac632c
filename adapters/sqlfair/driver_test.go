package sqlfair_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// A fake is a driver whose connections do nothing but write down what they are
// asked. No real driver has, and lacks, every optional interface.
type fake struct {
	make func(*fakeConn) driver.Conn // adds interfaces to a connection
	stmt func(*fakeStmt) driver.Stmt // and to a statement
	on   func(*fakeConn, string) error

	mu    sync.Mutex
	log   []string
	conns []*fakeConn
	ctxs  []context.Context
}

func (f *fake) Driver() driver.Driver            { return f }
func (f *fake) Open(string) (driver.Conn, error) { return nil, errors.New("not used") }

func (f *fake) Connect(ctx context.Context) (driver.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ctxs = append(f.ctxs, ctx)
	c := &fakeConn{fake: f, id: len(f.conns)}
	f.conns = append(f.conns, c)
	if f.make == nil {
		return full{c, execs{c}, queries{c}, resets{c}, checks{c}}, nil
	}
	return f.make(c), nil
}

// open counts the connections that are not closed.
func (f *fake) open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.conns {
		if !c.closed {
			n++
		}
	}
	return n
}

func (f *fake) made() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.conns)
}

// asked returns the contexts that connections were asked for with.
func (f *fake) asked() []context.Context {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ctxs
}

func (f *fake) wrote() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.log...)
}

type fakeConn struct {
	fake   *fake
	id     int
	closed bool
}

// did writes down a call, and asks the test what it comes to.
func (c *fakeConn) did(format string, args ...any) error {
	call := fmt.Sprintf(format, args...)
	c.fake.mu.Lock()
	c.fake.log = append(c.fake.log, call)
	closed := c.closed
	c.fake.mu.Unlock()
	if closed {
		panic("a closed connection is asked to " + call)
	}
	if c.fake.on != nil {
		return c.fake.on(c, call)
	}
	return nil
}

func (c *fakeConn) Prepare(query string) (driver.Stmt, error) {
	if err := c.did("prepare %s", query); err != nil {
		return nil, err
	}
	s := &fakeStmt{conn: c, query: query}
	if c.fake.stmt == nil {
		return s, nil
	}
	return c.fake.stmt(s), nil
}

func (c *fakeConn) Begin() (driver.Tx, error) {
	return fakeTx{c}, c.did("begin")
}

func (c *fakeConn) Close() error {
	err := c.did("close")
	c.fake.mu.Lock()
	c.closed = true
	c.fake.mu.Unlock()
	return err
}

type fakeTx struct{ conn *fakeConn }

func (t fakeTx) Commit() error   { return t.conn.did("commit") }
func (t fakeTx) Rollback() error { return t.conn.did("rollback") }

// A fakeStmt has as many inputs as its text has question marks, or an unknown
// number if it ends in an ellipsis.
type fakeStmt struct {
	conn  *fakeConn
	query string
}

func (s *fakeStmt) Close() error { return s.conn.did("close %s", s.query) }

func (s *fakeStmt) NumInput() int {
	if strings.HasSuffix(s.query, "...") {
		return -1
	}
	return strings.Count(s.query, "?")
}

func (s *fakeStmt) Exec(args []driver.Value) (driver.Result, error) {
	return driver.RowsAffected(1), s.conn.did("stmt exec %s %v", s.query, args)
}

func (s *fakeStmt) Query(args []driver.Value) (driver.Rows, error) {
	return &fakeRows{left: 2}, s.conn.did("stmt query %s %v", s.query, args)
}

type fakeRows struct{ left int64 }

func (r *fakeRows) Columns() []string { return []string{"n"} }
func (r *fakeRows) Close() error      { return nil }
func (r *fakeRows) Next(dest []driver.Value) error {
	if r.left == 0 {
		return io.EOF
	}
	dest[0] = r.left
	r.left--
	return nil
}

// The optional interfaces of a connection, each a type of its own.
type (
	execs    struct{ c *fakeConn }
	queries  struct{ c *fakeConn }
	oldExec  struct{ c *fakeConn }
	oldQuery struct{ c *fakeConn }
	prepares struct{ c *fakeConn }
	begins   struct{ c *fakeConn }
	pings    struct{ c *fakeConn }
	resets   struct{ c *fakeConn }
	checks   struct{ c *fakeConn } // Validator
	converts struct{ c *fakeConn } // NamedValueChecker

	full struct {
		*fakeConn
		execs
		queries
		resets
		checks
	}
)

func (e execs) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), e.c.did("exec %s %v", query, args)
}

func (q queries) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return &fakeRows{left: 2}, q.c.did("query %s %v", query, args)
}

func (e oldExec) Exec(query string, args []driver.Value) (driver.Result, error) {
	return driver.RowsAffected(1), e.c.did("old exec %s %v", query, args)
}

func (q oldQuery) Query(query string, args []driver.Value) (driver.Rows, error) {
	return &fakeRows{left: 2}, q.c.did("old query %s %v", query, args)
}

func (p prepares) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return p.c.Prepare(query)
}

func (b begins) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return fakeTx{b.c}, b.c.did("begin %v", opts)
}

func (p pings) Ping(context.Context) error { return p.c.did("ping") }

func (r resets) ResetSession(context.Context) error { return r.c.did("reset") }

func (v checks) IsValid() bool { return v.c.did("valid?") == nil }

func (n converts) CheckNamedValue(v *driver.NamedValue) error { return convert("conn", v) }

// convert makes a string of odd, and leaves the rest to others.
func convert(by string, v *driver.NamedValue) error {
	if o, ok := v.Value.(odd); ok {
		v.Value = fmt.Sprintf("%s:%d", by, o.n)
		return nil
	}
	return driver.ErrSkip
}

// odd is a type of argument that database/sql does not know.
type odd struct{ n int }

// The optional interfaces of a statement.
type (
	stmtExecs    struct{ *fakeStmt }
	stmtQueries  struct{ *fakeStmt }
	stmtConverts struct{ *fakeStmt } // NamedValueChecker
	stmtColumns  struct{}            // ColumnConverter
)

func (s stmtExecs) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), s.conn.did("stmt exec ctx %s %v", s.query, args)
}

func (s stmtQueries) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return &fakeRows{left: 2}, s.conn.did("stmt query ctx %s %v", s.query, args)
}

func (s stmtConverts) CheckNamedValue(v *driver.NamedValue) error { return convert("stmt", v) }

func (stmtColumns) ColumnConverter(i int) driver.ValueConverter { return column(i) }

type column int

func (c column) ConvertValue(v any) (driver.Value, error) {
	if o, ok := v.(odd); ok {
		return fmt.Sprintf("column %d:%d", int(c), o.n), nil
	}
	return driver.DefaultParameterConverter.ConvertValue(v)
}
