package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// database/sql lends connections; those of its driver here do nothing. It is
// given as many idle connections as open ones, or it would close and open them
// all the time. A released connection goes to any of those who wait.
var databaseSQLPeer = peer{"database/sql", "connections, at random", false, openDatabaseSQL}

type databaseSQLLender struct {
	db *sql.DB
}

func openDatabaseSQL(slots int) (lender, error) {
	db := sql.OpenDB(idleConnector{})
	db.SetMaxOpenConns(slots)
	db.SetMaxIdleConns(slots)
	return databaseSQLLender{db}, nil
}

func (l databaseSQLLender) Cycle(ctx context.Context, _ string) error {
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (l databaseSQLLender) Hold(ctx context.Context, _ string) (func(), error) {
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return func() { conn.Close() }, nil
}

func (l databaseSQLLender) Close() { l.db.Close() }

// An idleConnector opens connections that lead nowhere.
type idleConnector struct{}

func (c idleConnector) Connect(context.Context) (driver.Conn, error) { return new(idleConn), nil }
func (c idleConnector) Driver() driver.Driver                        { return c }
func (c idleConnector) Open(string) (driver.Conn, error)             { return new(idleConn), nil }

type idleConn struct {
	_ int // each has an address of its own
}

var errIdleConn = errors.New("the connection leads nowhere")

func (*idleConn) Prepare(string) (driver.Stmt, error) { return nil, errIdleConn }
func (*idleConn) Begin() (driver.Tx, error)           { return nil, errIdleConn }
func (*idleConn) Close() error                        { return nil }
