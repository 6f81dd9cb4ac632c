package sqlfair

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// ErrMaxOpenConns is the error of every query once SetMaxOpenConns was called
// on the DB. The limit is Config.MaxOpenConns, and Pool.Resize changes it.
var ErrMaxOpenConns = errors.New("sqlfair: SetMaxOpenConns was called on the DB: " +
	"database/sql would hand connections from tenant to tenant; use Pool.Resize, and SetMaxOpenConns(0)")

// A source is the connector of a DB. To connect is to take a lease.
type source struct {
	connector driver.Connector
	config    Config
	pool      *Pool
	db        *sql.DB

	backends backends
	warned   sync.Once     // of a role that policies do not bind
	breaks   atomic.Uint64 // how often a driver has reported a broken connection
}

func (s *source) Driver() driver.Driver { return s.connector.Driver() }

// Close is called by DB.Close.
func (s *source) Close() error {
	s.pool.Close()
	if c, ok := s.connector.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func (s *source) tenant(ctx context.Context) string {
	if s.config.Tenant != nil {
		if t := s.config.Tenant(ctx); t != "" {
			return t
		}
	}
	return fairshare.TenantFrom(ctx)
}

// Connect waits for a connection for the tenant of ctx.
func (s *source) Connect(ctx context.Context) (driver.Conn, error) {
	tenant := s.tenant(ctx)
	if s.limited(tenant) {
		return nil, ErrMaxOpenConns
	}
	if s.config.Tenancy.Admit != nil {
		if err := s.config.Tenancy.Admit(tenant); err != nil {
			return nil, err
		}
	}
	// A Bind that fails three times ends an Acquire, but stale connections are
	// no fault of it: as many attempts as it takes to be rid of all of them.
	for stale := 0; ; {
		l, err := s.pool.Acquire(ctx, tenant)
		if err != nil {
			if stale += boundOnce; errors.Is(err, driver.ErrBadConn) && stale < s.config.MaxOpenConns {
				continue
			}
			return nil, err
		}
		if c := s.lend(ctx, l, tenant); c != nil {
			return c, nil
		}
	}
}

// boundOnce is how many connections an Acquire of the pool tries to bind.
const boundOnce = 3

// limited reports whether ctx may be that of database/sql itself, which opens
// connections for whoever waits in its own line. There is such a line if
// MaxOpenConns is set, and perhaps still somebody in it if that was undone; but
// database/sql has no tenant.
func (s *source) limited(tenant string) bool {
	stats := s.db.Stats()
	return stats.MaxOpenConnections > 0 || stats.WaitCount > 0 && tenant == ""
}

// lend makes a connection for database/sql out of a lease, or ends the lease
// and returns nil if the connection is broken.
func (s *source) lend(ctx context.Context, l pool.Lease[driver.Conn], tenant string) driver.Conn {
	resource, ok := l.TryValue()
	if !ok { // taken back already
		return nil
	}
	c := resource.(*session)
	lent := false
	c.using.Lock()
	defer func() {
		if !lent {
			c.using.Unlock()
			l.Destroy()
		}
	}()
	if c.ended.Load() || s.config.Tenancy.Bind == nil && c.refresh(ctx) != nil {
		return nil
	}
	c.used, lent = true, true
	return c.shape(&conn{session: c, lease: l, tenant: tenant, lent: true})
}
