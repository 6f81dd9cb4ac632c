package pgxfair

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/stdlib"
)

// OpenDBFromPool returns a *sql.DB whose connections are those of the pool, for
// the tenants that the contexts of its calls carry. Closing it does not close the
// pool. Each connection is leased for one use: SetMaxIdleConns has no effect, and
// with SetMaxOpenConns every query fails, for database/sql would pass connections
// from tenant to tenant. Conn.Raw passes a value with the methods of
// *stdlib.Conn.
//
// The pool must not have BindTransaction, which takes part in each statement;
// package sqlfair has it for a *sql.DB.
func OpenDBFromPool(pool *Pool) *sql.DB {
	c := &dbConnector{pool: pool}
	c.db = sql.OpenDB(c)
	return c.db
}

var (
	errMaxOpenConns = errors.New("pgxfair: SetMaxOpenConns was called on a DB of OpenDBFromPool: " +
		"database/sql would hand connections from tenant to tenant; MaxConns is the limit")
	errBoundDB = errors.New("pgxfair: OpenDBFromPool of a pool with BindTransaction: " +
		"use sqlfair.PostgresTenantBound for a *sql.DB that names the tenant in each transaction")
)

// A dbConnector is the connector of a DB. To connect is to acquire.
type dbConnector struct {
	pool *Pool
	db   *sql.DB
}

func (c *dbConnector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func (c *dbConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.pool.bindLocal != "" {
		return nil, errBoundDB
	}
	if c.db.Stats().MaxOpenConnections > 0 {
		return nil, errMaxOpenConns
	}
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return dbConn{conn.session.db, conn}, nil
}

// A dbConn is a lease as database/sql sees it: a connection that is opened for one
// use and closed after it.
type dbConn struct {
	*driverConn
	lease *Conn
}

// driverConn is a name for the field beside which the method Conn can be seen.
type driverConn = stdlib.Conn

// IsValid is what database/sql calls when it is done with a connection. What
// follows is Close: it must not be used again.
func (dbConn) IsValid() bool { return false }

// ResetSession is not called: no connection is used twice.
func (dbConn) ResetSession(context.Context) error { return driver.ErrBadConn }

func (c dbConn) Close() error {
	c.lease.Release()
	return nil
}
