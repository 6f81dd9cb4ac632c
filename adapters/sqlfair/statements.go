package sqlfair

import (
	"context"
	"database/sql/driver"
	"slices"
)

// statements are those that a session keeps prepared after they were closed.
// The nil statements keep none.
type statements struct {
	max  int
	idle []*statement // that nobody uses, used last at the end
}

func newStatements(limit int) *statements {
	if limit == 0 {
		return nil
	}
	return &statements{max: limit}
}

// take returns the statement of that text if it is there and idle.
func (s *statements) take(query string) *statement {
	i := slices.IndexFunc(s.idle, func(st *statement) bool { return st.query == query })
	if i < 0 {
		return nil
	}
	st := s.idle[i]
	s.idle = slices.Delete(s.idle, i, i+1)
	return st
}

// put keeps a statement, if there is none of its text, and closes the one
// beyond the limit that was used least recently.
func (s *statements) put(st *statement) error {
	if s == nil || slices.ContainsFunc(s.idle, func(other *statement) bool { return other.query == st.query }) {
		return st.Stmt.Close()
	}
	s.idle = append(s.idle, st)
	if len(s.idle) <= s.max {
		return nil
	}
	oldest := s.idle[0]
	s.idle = slices.Delete(s.idle, 0, 1)
	return oldest.Stmt.Close()
}

func (s *statements) close() {
	if s == nil {
		return
	}
	for _, st := range s.idle {
		st.Stmt.Close()
	}
	s.idle = nil
}

// prepare prepares a statement, or returns one that was kept.
func (c *session) prepare(ctx context.Context, query string) (driver.Stmt, error) {
	if c.statements == nil {
		return prepareOn(ctx, c.Conn, query)
	}
	st := c.statements.take(query)
	if st == nil {
		prepared, err := prepareOn(ctx, c.Conn, query)
		if err != nil {
			return nil, err
		}
		st = &statement{Stmt: prepared, session: c, query: query}
	}
	u := &use{statement: st}
	if converter, ok := st.Stmt.(columnConverter); ok {
		return struct {
			*use
			columns
		}{u, columns{converter}}, nil
	}
	return u, nil
}

// A statement is one of the driver's that outlasts its use.
type statement struct {
	driver.Stmt
	session *session
	query   string
}

// A use of a statement ends with its Close. It has all optional interfaces but
// ColumnConverter, whose presence alone makes database/sql act differently.
type use struct {
	*statement
	failed bool
}

func (u *use) itself() *use { return u }

func (u *use) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r, err := execStmt(ctx, u.Stmt, args)
	u.failed = u.failed || err != nil
	return r, err
}

func (u *use) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	r, err := queryStmt(ctx, u.Stmt, args)
	u.failed = u.failed || err != nil
	return r, err
}

// CheckNamedValue asks the statement or else its connection, as database/sql
// does.
func (u *use) CheckNamedValue(v *driver.NamedValue) error {
	if c, ok := u.Stmt.(driver.NamedValueChecker); ok {
		return c.CheckNamedValue(v)
	}
	return checkOn(u.session.Conn, v)
}

// Close keeps the statement for another use, unless it may be what has failed.
func (u *use) Close() error {
	if u.failed {
		return u.Stmt.Close()
	}
	return u.session.statements.put(u.statement)
}

// columnConverter is driver.ColumnConverter, which is deprecated but in use.
type columnConverter interface {
	ColumnConverter(i int) driver.ValueConverter
}

// columns has the method of a columnConverter and no field of that name.
type columns struct{ converter columnConverter }

func (c columns) ColumnConverter(i int) driver.ValueConverter { return c.converter.ColumnConverter(i) }
