// Package stdlib is what the tests of pgx/stdlib get for it: its own connections,
// in a DB of sqlfair.
package stdlib

import (
	"database/sql"
	"database/sql/driver"
	"sync"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

type (
	Conn             = stdlib.Conn
	OptionOpenDB     = stdlib.OptionOpenDB
	ShouldPingParams = stdlib.ShouldPingParams
)

var (
	RegisterConnConfig     = stdlib.RegisterConnConfig
	UnregisterConnConfig   = stdlib.UnregisterConnConfig
	OptionBeforeConnect    = stdlib.OptionBeforeConnect
	OptionAfterConnect     = stdlib.OptionAfterConnect
	OptionResetSession     = stdlib.OptionResetSession
	OptionShouldPing       = stdlib.OptionShouldPing
	RandomizeHostOrderFunc = stdlib.RandomizeHostOrderFunc
	Unwrap                 = sqlfair.Unwrap
	pools                  sync.Map // by DB
)

func open(c driver.Connector) (*sql.DB, error) {
	db, pool, err := sqlfair.Open(c, sqlfair.Config{MaxOpenConns: 20})
	if err == nil {
		pools.Store(db, pool)
	}
	return db, err
}

func must(db *sql.DB, err error) *sql.DB {
	if err != nil {
		panic(err)
	}
	return db
}

// Open is in the place of sql.Open.
func Open(_, name string) (*sql.DB, error) {
	c, err := stdlib.GetDefaultDriver().(driver.DriverContext).OpenConnector(name)
	if err != nil {
		return nil, err
	}
	return open(c)
}

func OpenDB(config pgx.ConnConfig, opts ...OptionOpenDB) *sql.DB {
	return must(open(stdlib.GetConnector(config, opts...)))
}

func OpenDBFromPool(pool *pgxpool.Pool, opts ...OptionOpenDB) *sql.DB {
	return must(open(stdlib.GetPoolConnector(pool, opts...)))
}

// SetMaxOpenConns is in the place of the method, which must not be called.
func SetMaxOpenConns(db *sql.DB, n int) {
	pool, _ := pools.Load(db)
	if err := pool.(*sqlfair.Pool).Resize(n); err != nil {
		panic(err)
	}
}
