package sqlfair

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/unit"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A Config describes the pool behind a DB. MaxOpenConns is required; everything
// else has a useful zero value.
type Config struct {
	// MaxOpenConns is the most connections that exist at once, at least 1. It
	// is what SetMaxOpenConns would be, and the pool's capacity unless
	// Sharing.Capacity is less.
	MaxOpenConns int

	// Tenant returns the name of the tenant that a context carries, "" if it
	// carries none. It is called for each query, in the caller's goroutine.
	// nil, and "", mean what fairshare.TenantFrom says.
	Tenant func(ctx context.Context) string

	// Sharing says who gets how much, and how long one waits.
	Sharing fairshare.Config

	// Tenancy ties the sessions to their tenants.
	Tenancy Tenancy

	// PreparedStatements is how many statements each connection keeps prepared
	// after they were closed, those used last, for the next time that the same
	// text is prepared on it. Statements prepared on a DB profit from it. They
	// must survive what Tenancy.Reset and the driver do between two tenants. 0
	// means none.
	PreparedStatements int

	// ConnectTimeout ends the context on which the connector connects; that of
	// a query does not. 0 means ten seconds.
	ConnectTimeout time.Duration

	// KeepAlive is the period after which an idle connection is pinged in the
	// background; one that was idle for longer is pinged before its use. 0
	// means never.
	KeepAlive time.Duration

	// LeakAfter is how long a connection may be in use before that is reported
	// through Trace.Leak and Logger, with the stack that asked for it: Rows, a
	// Tx or a Conn that nobody closes. 0 means for ever.
	LeakAfter time.Duration

	Sizes  pool.Sizes   // how many connections are kept
	Age    pool.Age     // when they are replaced
	Trace  pool.Trace   // hooks to watch it all
	Logger *slog.Logger // is told what nobody else is
}

// Tenancy ties a session with the database to the tenant that it is leased to.
// The zero value does nothing. Its hooks use c while they run, no longer; the
// pool calls them on a context of its own, which carries the values of the
// caller's.
type Tenancy struct {
	// Admit is asked before a query waits, and its error is that of the query.
	// It is for names that are unknown, or that Bind would fail for.
	Admit func(tenant string) error

	// Bind is called each time that a connection is handed out, new or not,
	// before anything else uses it. If it fails the connection is closed and
	// the caller served with another; after three the query fails.
	Bind func(ctx context.Context, c *sql.Conn, tenant string) error

	// Reset is called when a connection has come back, off the caller's path.
	// Its tenant is charged for the time. If it fails the connection is
	// closed.
	Reset func(ctx context.Context, c *sql.Conn) error

	// BindTimeout and ResetTimeout end the contexts of the two. 0 means five
	// seconds.
	BindTimeout  time.Duration
	ResetTimeout time.Duration

	// Isolation is Shared, or Dedicated for connections that serve no tenant
	// but their first.
	Isolation pool.Isolation

	// RequireRowSecurity refuses connections, with ErrNoRowSecurity, as a role
	// that policies of row-level security do not bind: a superuser, one with
	// BYPASSRLS, or the owner of a table that does not force them on its owner.
	// It is for a Tenancy of PostgresTenant, which tells Config.Logger of the
	// first without it.
	RequireRowSecurity bool

	postgres *binder // of PostgresTenant
}

func (c *Config) check(connector driver.Connector) error {
	var faults []error
	add := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("sqlfair: "+format, args...))
	}
	if connector == nil {
		add("the connector is nil")
	}
	if c.MaxOpenConns < 1 || c.MaxOpenConns > math.MaxInt32 {
		add("Config.MaxOpenConns is %d, must be between 1 and %d", c.MaxOpenConns, math.MaxInt32)
	} else if c.Sharing.Capacity > c.MaxOpenConns {
		add("Config.Sharing.Capacity is %d, more than the MaxOpenConns of %d", c.Sharing.Capacity, c.MaxOpenConns)
	}
	if c.PreparedStatements < 0 {
		add("Config.PreparedStatements is %d, must not be negative", c.PreparedStatements)
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"ConnectTimeout", c.ConnectTimeout},
		{"KeepAlive", c.KeepAlive},
		{"LeakAfter", c.LeakAfter},
		{"Tenancy.BindTimeout", c.Tenancy.BindTimeout},
		{"Tenancy.ResetTimeout", c.Tenancy.ResetTimeout},
	} {
		if fault := unit.Fault(d.value); fault != "" {
			add("Config.%s is %v, %s", d.field, d.value, fault)
		}
	}
	if c.Tenancy.RequireRowSecurity && c.Tenancy.postgres == nil {
		add("Config.Tenancy.RequireRowSecurity is true in a Tenancy that is not of PostgresTenant")
	}
	if c.Tenancy.Bind == nil && c.Tenancy.BindTimeout > 0 {
		add("Config.Tenancy.BindTimeout is %v without a Bind", c.Tenancy.BindTimeout)
	}
	if c.Tenancy.Reset == nil && c.Tenancy.ResetTimeout > 0 {
		add("Config.Tenancy.ResetTimeout is %v without a Reset", c.Tenancy.ResetTimeout)
	}
	return errors.Join(faults...)
}
