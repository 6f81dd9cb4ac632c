package pgxfair

import (
	"context"
	"iter"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fairpool/fairpool/adapters/internal/restate"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
)

// A Pool is a pool of connections, shared fairly among tenants. The tenant of a
// call is the one that its context carries, see fairshare.WithTenant; Tenant
// names one. All its methods may be called from any goroutine.
type Pool struct {
	queries
	config       *Config
	fair         *pool.Pool[*session]
	setting      string          // the TenantSetting as an identifier of SQL
	bindLocal    string          // the statement of BindTransaction, "" for the others
	values       context.Context // of New
	epoch        atomic.Uint64   // counts failovers
	latest       atomic.Uint64   // the epoch of the latest connection, plus 1
	losses       atomic.Uint64   // counts connections that were found closed
	terminations terminations
	backends     backends
	warned       sync.Once // of a role that policies do not bind
	acquire      AcquireTracer
	release      ReleaseTracer

	prepareConn func(context.Context, *pgx.Conn) (bool, error)
}

// New is NewWithConfig for a connection string, see ParseConfig.
func New(ctx context.Context, connString string) (*Pool, error) {
	config, err := ParseConfig(connString)
	if err != nil {
		return nil, err
	}
	return NewWithConfig(ctx, config)
}

// NewWithConfig returns a pool. It does not wait for connections: they are made
// when they are asked for, and in the background as far as MinIdleConns asks for
// them; Ping tells whether it can be done. Connections are made on a context of
// the pool that has the values of ctx, whatever becomes of ctx or of the calls
// that need them. The error names each wrong field of config and its value.
// The caller closes the pool.
func NewWithConfig(ctx context.Context, config *Config) (*Pool, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	own := config.Copy()
	p := &Pool{config: own, values: context.WithoutCancel(ctx), prepareConn: own.PrepareConn}
	p.setting = pgx.Identifier(strings.Split(own.TenantSetting, ".")).Sanitize()
	if own.TenantSetting != "" && own.TenantBinding == BindTransaction {
		p.bindLocal = bindSQL(own.TenantSetting)
	}
	p.queries = queries{pool: p}
	//lint:ignore SA1019 pgxpool honours it too
	if before := own.BeforeAcquire; p.prepareConn == nil && before != nil {
		p.prepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) { return before(ctx, conn), nil }
	}
	p.acquire, p.release = tracers(own.ConnConfig.Tracer)
	fair, err := pool.New(p.poolConfig())
	if err != nil {
		return nil, restate.As("pgxfair", err)
	}
	p.fair = fair
	return p, nil
}

// Config returns a copy of the configuration of the pool.
func (p *Pool) Config() *Config { return p.config.Copy() }

// Close closes the pool: those who wait and all later calls get an error that
// wraps pool.ErrClosed. It returns when all connections are returned and closed.
func (p *Pool) Close() { p.fair.Shutdown(context.Background()) }

// Shutdown is Close that waits until ctx ends for the connections to return. If
// ctx ends first it returns an error that says what is left; the pool is closed
// all the same.
func (p *Pool) Shutdown(ctx context.Context) error { return p.fair.Shutdown(ctx) }

// Reset has every connection that is open now replaced: the idle ones at once,
// the others on return. A pool does so by itself when it learns that the server
// shuts down, has crashed or cannot be reached.
func (p *Pool) Reset() { p.fair.Reset() }

// Resize sets how many connections there may be, between 0, which hands out
// none, and MaxConns. Connections that are in use stay until they return.
func (p *Pool) Resize(conns int) error { return p.fair.Resize(conns) }

// SetShare changes the share of a tenant from now on.
func (p *Pool) SetShare(tenant string, share fairshare.Share) error {
	return p.fair.SetShare(tenant, share)
}

// Suspend has every call wait until Resume, as for a planned switch-over.
// Connections that are in use stay.
func (p *Pool) Suspend() { p.fair.Suspend() }

// Resume ends a Suspend.
func (p *Pool) Resume() { p.fair.Resume() }

// Stats returns the totals of the pool in full, Stat those that pgxpool has.
func (p *Pool) Stats() pool.Stats { return p.fair.Stats() }

// Tenants yields the tenants that are known, by name.
func (p *Pool) Tenants() iter.Seq2[string, fairshare.TenantStats] { return p.fair.Tenants() }

// Holders yields the connections that are in use: whose, and since when.
func (p *Pool) Holders() iter.Seq[pool.Holder] { return p.fair.Holders() }

// Tenant returns a handle by which a tenant uses the pool, whatever tenant the
// contexts of its calls carry. It needs no closing. For the name "" the tenant
// is that of the context.
func (p *Pool) Tenant(name string) *Tenant { return &Tenant{queries{pool: p, tenant: name}} }

// A Tenant is a Pool in the name of one tenant.
type Tenant struct{ queries }

// Name returns the name of the tenant.
func (t *Tenant) Name() string { return t.tenant }
