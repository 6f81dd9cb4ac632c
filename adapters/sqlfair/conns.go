package sqlfair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/pool"
)

// Conns returns a pool of the connections of any db, for those who want to
// hold one for a while: Acquire leases a *sql.Conn. cfg is the pool's, without
// a Constructor and Destructor; if MaxSize is 0 it is the MaxOpenConns of db.
// Whoever uses db beside the pool takes connections away from it.
//
// Each lease is a *sql.Conn of its own, which ends with it: so the Rows and
// transactions that its holder left open delay the place in the pool, not the
// next tenant, and database/sql resets and checks the connection as ever. It is
// db that keeps connections open; let it keep as many as the pool may have, by
// SetMaxIdleConns. To have one thrown away return driver.ErrBadConn from
// Conn.Raw; Destroy does not.
func Conns(db *sql.DB, cfg pool.Config[*sql.Conn]) (*pool.Pool[*sql.Conn], error) {
	if db == nil {
		return nil, errors.New("sqlfair: db is nil")
	}
	if cfg.Constructor != nil || cfg.Destructor != nil {
		return nil, errors.New("sqlfair: Config.Constructor or Config.Destructor is set: the connections are those of db")
	}
	if cfg.Age.MaxUses != 0 {
		return nil, fmt.Errorf("sqlfair: Config.Age.MaxUses is %d, must be 0: each lease is a connection of its own", cfg.Age.MaxUses)
	}
	limit := db.Stats().MaxOpenConnections
	if cfg.MaxSize == 0 {
		cfg.MaxSize = limit
	}
	if limit > 0 && cfg.MaxSize > limit {
		return nil, fmt.Errorf("sqlfair: Config.MaxSize is %d, more than the MaxOpenConns of db, %d", cfg.MaxSize, limit)
	}
	cfg.Constructor = func(ctx context.Context) (*sql.Conn, error) { return db.Conn(ctx) }
	cfg.Destructor = func(c *sql.Conn) { c.Close() }
	cfg.Age.MaxUses = 1
	p, err := pool.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("sqlfair: %w", err)
	}
	return p, nil
}
