package sqlfair_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/stretchr/testify/require"
)

// Drivers, by what their connections and statements have.
var (
	connections = map[string]func(*fakeConn) driver.Conn{
		"nothing": func(c *fakeConn) driver.Conn { return c },
		"exec": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				execs
			}{c, execs{c}}
		},
		"query": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				queries
				converts
			}{c, queries{c}, converts{c}}
		},
		"old exec, query": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				oldExec
				oldQuery
			}{c, oldExec{c}, oldQuery{c}}
		},
		"exec, reset, valid": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				execs
				resets
				checks
			}{c, execs{c}, resets{c}, checks{c}}
		},
		"query, reset, valid": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				oldQuery
				resets
				checks
			}{c, oldQuery{c}, resets{c}, checks{c}}
		},
		"reset, valid": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				resets
				checks
			}{c, resets{c}, checks{c}}
		},
		"exec, query, reset": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				execs
				queries
				resets
			}{c, execs{c}, queries{c}, resets{c}}
		},
		"exec, query, valid": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				execs
				queries
				checks
			}{c, execs{c}, queries{c}, checks{c}}
		},
		"prepare, begin, ping, convert": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				prepares
				begins
				pings
				converts
			}{c, prepares{c}, begins{c}, pings{c}, converts{c}}
		},
		"everything": func(c *fakeConn) driver.Conn {
			return struct {
				*fakeConn
				execs
				queries
				prepares
				begins
				pings
				resets
				checks
				converts
			}{c, execs{c}, queries{c}, prepares{c}, begins{c}, pings{c}, resets{c}, checks{c}, converts{c}}
		},
	}
	fakeStatements = map[string]func(*fakeStmt) driver.Stmt{
		"nothing": func(s *fakeStmt) driver.Stmt { return s },
		"exec": func(s *fakeStmt) driver.Stmt {
			return struct {
				*fakeStmt
				driver.StmtExecContext
			}{s, stmtExecs{s}}
		},
		"convert": func(s *fakeStmt) driver.Stmt { return stmtConverts{s} },
		"columns": func(s *fakeStmt) driver.Stmt {
			return struct {
				*fakeStmt
				stmtColumns
			}{fakeStmt: s}
		},
		"everything": func(s *fakeStmt) driver.Stmt {
			return struct {
				*fakeStmt
				driver.StmtExecContext
				driver.StmtQueryContext
				driver.NamedValueChecker
				stmtColumns
			}{s, stmtExecs{s}, stmtQueries{s}, stmtConverts{s}, stmtColumns{}}
		},
	}
)

// script uses everything by which database/sql finds out about a driver. It
// returns what the caller saw.
func script(db *sql.DB) (seen []string) {
	ctx, cancel := context.WithCancel(as("tenant"))
	defer cancel()
	saw := func(what string, err error) { seen = append(seen, fmt.Sprintf("%s: %v", what, err)) }
	read := func(what string, rows *sql.Rows, err error) {
		for err == nil && rows.Next() {
			var n int
			if err = rows.Scan(&n); err == nil {
				seen = append(seen, fmt.Sprintf("%s: %d", what, n))
			}
		}
		if rows != nil {
			rows.Close()
		}
		saw(what, err)
	}
	saw("ping", db.PingContext(ctx))
	argLists := [][]any{nil, {1}, {"a", 2}, {odd{3}}, {1, 2, 3}, {sql.Named("name", 4)}, {make(chan int)}}
	for _, query := range []string{"none", "one ?", "any ...", "skipped ?"} {
		for i, args := range argLists {
			what := fmt.Sprint(query, " ", i)
			_, err := db.ExecContext(ctx, query, args...)
			saw("exec "+what, err)
			rows, err := db.QueryContext(ctx, query, args...)
			read("query "+what, rows, err)

			conn, err := db.Conn(ctx)
			saw("conn", err)
			stmt, err := conn.PrepareContext(ctx, query)
			saw("prepare "+what, err)
			_, err = stmt.ExecContext(ctx, args...)
			saw("stmt exec "+what, err)
			rows, err = stmt.QueryContext(ctx, args...)
			read("stmt query "+what, rows, err)
			saw("close", stmt.Close())
			saw("close conn", conn.Close())
		}
	}
	for _, opts := range []*sql.TxOptions{nil, {Isolation: sql.LevelSerializable}, {ReadOnly: true}} {
		tx, err := db.BeginTx(ctx, opts)
		saw("begin", err)
		if err != nil {
			continue
		}
		_, err = tx.Exec("in tx ?", 1)
		saw("exec in tx", err)
		rows, err := tx.Query("in tx")
		read("query in tx", rows, err)
		saw("commit", tx.Commit())
		saw("rollback", tx.Rollback())
	}
	return seen
}

// skip is a driver that leaves some queries to prepared statements.
func skip(_ *fakeConn, call string) error {
	if strings.HasPrefix(call, "exec skipped") || strings.HasPrefix(call, "query skipped") {
		return driver.ErrSkip
	}
	return nil
}

// relevant leaves out what happens between two users of a connection, which is
// where the two differ, and looks for the last preparation of a statement.
func relevant(log []string) []string {
	return slices.DeleteFunc(log, func(call string) bool {
		return call == "reset" || call == "valid?" || call == "close"
	})
}

func same(t *testing.T, want, got []string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		require.Equal(t, want[i], got[i], "the first difference, after %v", got[max(0, i-3):i])
	}
	require.Len(t, got, len(want))
}

func TestADriverIsAskedTheSameAsByAPlainDB(t *testing.T) {
	for has, connection := range connections {
		for stmtHas, statement := range fakeStatements {
			t.Run(has+"/"+stmtHas, func(t *testing.T) {
				plain := &fake{make: connection, stmt: statement, on: skip}
				fair := &fake{make: connection, stmt: statement, on: skip}
				db := sql.OpenDB(plain)
				defer db.Close()
				want := script(db)
				shared, _ := open(t, fair, sqlfair.Config{MaxOpenConns: 1})
				same(t, want, script(shared))
				same(t, relevant(plain.wrote()), relevant(fair.wrote()))
			})
		}
	}
}

func TestKeptStatementsAreAskedTheSameAsByAPlainDB(t *testing.T) {
	prepares := func(log []string) []string {
		return slices.DeleteFunc(relevant(log), func(call string) bool {
			return strings.HasPrefix(call, "prepare ") || strings.HasPrefix(call, "close ")
		})
	}
	for has, connection := range connections {
		for stmtHas, statement := range fakeStatements {
			t.Run(has+"/"+stmtHas, func(t *testing.T) {
				plain := &fake{make: connection, stmt: statement, on: skip}
				fair := &fake{make: connection, stmt: statement, on: skip}
				db := sql.OpenDB(plain)
				defer db.Close()
				want := script(db)
				shared, _ := open(t, fair, sqlfair.Config{MaxOpenConns: 1, PreparedStatements: 10})
				same(t, want, script(shared))
				same(t, prepares(plain.wrote()), prepares(fair.wrote()))
			})
		}
	}
}
