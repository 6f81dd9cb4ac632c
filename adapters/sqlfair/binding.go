package sqlfair

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// A Binding says how PostgreSQL learns the tenant of a statement, see
// PostgresTenantBound.
type Binding int

const (
	// BindSession makes the setting in the session when a connection is handed
	// out, and empties it on return. A connection has to lead to one session
	// for as long as it lasts. So one that a pooler answers, such as PgBouncer,
	// is refused with ErrPooler when it is made, and so is one whose driver
	// does not show that: others than pgx and lib/pq, unless they wrap these.
	BindSession Binding = iota

	// BindPooledSession is BindSession behind a pooler in session mode
	// (pool_mode = session), or with a driver that does not show whether there
	// is one, which no connection can prove. The database is asked at each
	// hand-out whether the session is still the one that the connection began
	// with; if not, the query fails with ErrTransactionPooling. That reveals a
	// wrong setting before long, but not before a row may have been seen.
	BindPooledSession

	// BindTransaction makes the setting for one transaction at a time, and works
	// behind a pooler in transaction mode. A statement outside of a transaction
	// gets one of its own, which takes two more round trips, as a session that
	// is set and emptied does. The transaction of a query ends when all its
	// rows are read, or with them.
	//
	// Statements that must not be in a transaction, such as VACUUM, fail, and
	// so does BEGIN, for which there is BeginTx. What runs on the driver's
	// connection itself, see Unwrap, names no tenant.
	BindTransaction
)

// A binder is what PostgresTenant knows of its setting.
type binder struct {
	setting string // as an identifier of SQL
	binding Binding
	literal func(tenant string) string
}

// setLocal returns the command that names the tenant until the end of the
// transaction. It is no query: the isolation level can still be set after it.
func (b *binder) setLocal(tenant string) string {
	return "SET LOCAL " + b.setting + " = " + b.literal(tenant)
}

// binds returns what names the tenant in each transaction, nil if nothing has to.
func (c *conn) binds() *binder {
	b := c.session.source.config.Tenancy.postgres
	if !c.lent || b == nil || b.binding != BindTransaction {
		return nil
	}
	return b
}

// errBegin is the error of a BEGIN that would be in a transaction of its own.
var errBegin = errors.New("sqlfair: with BindTransaction a transaction is begun by BeginTx, not by a statement")

// enter begins a transaction for a statement outside of one, which end ends, and
// names the tenant in it. In a transaction, and without BindTransaction, it does
// nothing.
func (c *conn) enter(ctx context.Context, query string) (end func(error) error, err error) {
	b := c.binds()
	if b == nil || c.inTx {
		return func(err error) error { return err }, nil
	}
	if word, _, _ := strings.Cut(strings.TrimSpace(query), " "); strings.EqualFold(word, "begin") || strings.EqualFold(word, "start") {
		return nil, errBegin
	}
	if _, err := execOn(ctx, c.session.Conn, "BEGIN; "+b.setLocal(c.tenant), nil); err != nil {
		c.leave(ctx)
		return nil, err
	}
	return func(err error) error {
		if err != nil {
			c.leave(ctx)
			return err
		}
		if _, err := execOn(ctx, c.session.Conn, "COMMIT", nil); err != nil {
			c.leave(ctx)
			return err
		}
		return nil
	}, nil
}

// leave rolls back the transaction of a statement. If it cannot, the connection
// is not used again.
func (c *conn) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wellWithin)
	defer cancel()
	if _, err := execOn(ctx, c.session.Conn, "ROLLBACK", nil); err != nil {
		c.doomed = true
	}
}

// exec executes a statement, in a transaction of its own if that names the
// tenant.
func (c *conn) exec(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	end, err := c.enter(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := execOn(ctx, c.session.Conn, query, args)
	if err := end(err); err != nil {
		return nil, err
	}
	return r, nil
}

// query is exec for rows.
func (c *conn) query(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	end, err := c.enter(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := queryOn(ctx, c.session.Conn, query, args)
	return c.ending(r, end, err)
}

// ending returns rows with which a transaction ends, if it is their own.
func (c *conn) ending(r driver.Rows, end func(error) error, err error) (driver.Rows, error) {
	if err != nil {
		return nil, end(err)
	}
	if c.binds() == nil || c.inTx {
		return r, nil
	}
	return &boundRows{Rows: r, end: end}, nil
}

// begin begins a transaction and names the tenant in it.
func (c *conn) begin(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := beginOn(ctx, c.session.Conn, opts)
	b := c.binds()
	if err != nil || b == nil {
		return tx, err
	}
	if _, err := execOn(ctx, c.session.Conn, b.setLocal(c.tenant), nil); err != nil {
		if tx.Rollback() != nil {
			c.doomed = true
		}
		return nil, err
	}
	c.inTx = true
	return &boundTx{tx, c}, nil
}

// A boundTx tells its connection when it ends.
type boundTx struct {
	driver.Tx
	conn *conn
}

func (t *boundTx) Commit() error {
	t.conn.inTx = false
	return t.Tx.Commit()
}

func (t *boundTx) Rollback() error {
	t.conn.inTx = false
	return t.Tx.Rollback()
}

// A boundStmt is a statement that may be used outside of a transaction.
type boundStmt struct {
	*use
	conn *conn
}

// bound returns a statement whose uses outside of a transaction get one of their
// own.
func (c *conn) bound(s driver.Stmt, query string) driver.Stmt {
	var u *use
	if kept, ok := s.(interface{ itself() *use }); ok {
		u = kept.itself()
	} else {
		u = &use{statement: &statement{Stmt: s, session: c.session, query: query}}
	}
	own := &boundStmt{u, c}
	if converter, ok := u.Stmt.(columnConverter); ok {
		return struct {
			*boundStmt
			columns
		}{own, columns{converter}}
	}
	return own
}

func (s *boundStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	end, err := s.conn.enter(ctx, s.query)
	if err != nil {
		return nil, err
	}
	r, err := s.use.ExecContext(ctx, args)
	if err := end(err); err != nil {
		return nil, err
	}
	return r, nil
}

func (s *boundStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	end, err := s.conn.enter(ctx, s.query)
	if err != nil {
		return nil, err
	}
	r, err := s.use.QueryContext(ctx, args)
	return s.conn.ending(r, end, err)
}

// boundRows are those of a transaction that ends with them. The optional
// interfaces that the driver's rows lack do what database/sql does without them.
type boundRows struct {
	driver.Rows
	end    func(error) error
	closed bool
	fault  error
}

// Next ends the transaction after the last row, so that its error is that of the
// rows.
func (r *boundRows) Next(dest []driver.Value) error {
	if r.closed {
		return io.EOF
	}
	err := r.Rows.Next(dest)
	switch {
	case err == nil:
	case err != io.EOF:
		r.fault = err
	case !r.HasNextResultSet():
		if fault := r.Close(); fault != nil {
			return fault
		}
	}
	return err
}

// Close closes the rows and ends the transaction.
func (r *boundRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	err := r.Rows.Close()
	if r.fault == nil {
		r.fault = err
	}
	if fault := r.end(r.fault); err == nil && r.fault == nil {
		err = fault
	}
	return err
}

func (r *boundRows) HasNextResultSet() bool {
	s, ok := r.Rows.(driver.RowsNextResultSet)
	return ok && !r.closed && s.HasNextResultSet()
}

func (r *boundRows) NextResultSet() error {
	if s, ok := r.Rows.(driver.RowsNextResultSet); ok && !r.closed {
		return s.NextResultSet()
	}
	return io.EOF
}

func (r *boundRows) ColumnTypeScanType(i int) reflect.Type {
	if c, ok := r.Rows.(driver.RowsColumnTypeScanType); ok {
		return c.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

func (r *boundRows) ColumnTypeDatabaseTypeName(i int) string {
	if c, ok := r.Rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return c.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

func (r *boundRows) ColumnTypeLength(i int) (length int64, ok bool) {
	if c, ok := r.Rows.(driver.RowsColumnTypeLength); ok {
		return c.ColumnTypeLength(i)
	}
	return 0, false
}

func (r *boundRows) ColumnTypeNullable(i int) (nullable, ok bool) {
	if c, ok := r.Rows.(driver.RowsColumnTypeNullable); ok {
		return c.ColumnTypeNullable(i)
	}
	return false, false
}

func (r *boundRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	if c, ok := r.Rows.(driver.RowsColumnTypePrecisionScale); ok {
		return c.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}

// executes reports whether BindTransaction can be had with a driver.
func executes(c driver.Conn) error {
	switch c.(type) {
	case driver.ExecerContext, driver.Execer: //lint:ignore SA1019 drivers still have it
		return nil
	}
	return fmt.Errorf("sqlfair: BindTransaction: %T has no ExecContext", c)
}
