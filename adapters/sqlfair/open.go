package sqlfair

import (
	"database/sql"
	"database/sql/driver"

	"github.com/fairpool/fairpool/adapters/internal/restate"
	"github.com/fairpool/fairpool/pool"
)

// A Pool is where the connections of a DB come from: it shows who holds and who
// waits, and changes capacity and shares while they do. To the Stats of the DB a
// caller that waits is an open connection already. Queries go through the DB;
// what Acquire leases is a bare connection of the driver, to which Unwrap leads.
type Pool = pool.Pool[driver.Conn]

// Open returns a DB whose connections are shared fairly among tenants, and the
// pool that they come from. It does not connect. Closing the DB closes the pool:
// queries that wait fail, connections in use are closed when they are done. Use
// Pool.Shutdown before to wait for them. If the connector is an io.Closer it is
// closed last.
func Open(connector driver.Connector, cfg Config) (*sql.DB, *Pool, error) {
	if err := cfg.check(connector); err != nil {
		return nil, nil, err
	}
	s := &source{connector: connector, config: cfg}
	p, err := pool.New(s.poolConfig())
	if err != nil {
		return nil, nil, restate.As("sqlfair", err)
	}
	s.pool = p
	s.db = sql.OpenDB(s)
	return s.db, p, nil
}

func (s *source) poolConfig() pool.Config[driver.Conn] {
	c := pool.Config[driver.Conn]{
		Constructor:  s.build,
		Destructor:   func(c driver.Conn) { c.(*session).end() },
		MaxSize:      s.config.MaxOpenConns,
		Sharing:      s.config.Sharing,
		BuildTimeout: s.config.ConnectTimeout,
		Sizes:        s.config.Sizes,
		Age:          s.config.Age,
		Guard:        pool.Guard{LeakAfter: s.config.LeakAfter},
		Trace:        s.config.Trace,
		Logger:       s.config.Logger,
	}
	c.Tenancy.Isolation = s.config.Tenancy.Isolation
	if s.config.Tenancy.Bind != nil {
		c.Tenancy.Prepare = s.bind
		c.Tenancy.PrepareTimeout = s.config.Tenancy.BindTimeout
	}
	if s.config.Tenancy.Reset != nil {
		c.Tenancy.Reset = s.reset
		c.Tenancy.ResetTimeout = s.config.Tenancy.ResetTimeout
	}
	if s.config.KeepAlive > 0 {
		c.Health.Check = s.ping
		c.Health.CheckAfter = s.config.KeepAlive
		c.Health.KeepAlive = s.config.KeepAlive
	}
	return c
}
