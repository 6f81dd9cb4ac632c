package pgxfair

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"regexp"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/unit"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A Config describes a Pool. It is made by ParseConfig, or from a
// pgxpool.Config that pgxpool.ParseConfig has made, and may be modified before
// its use.
type Config struct {
	// Config is that of pgxpool: how to connect, how many connections, for how
	// long, and its hooks. It all means what it means there, except that
	//
	//   - MinConns is how many are kept idle, like MinIdleConns; the greater
	//     of the two counts,
	//   - MaxConnIdleTime of 0 is for ever,
	//   - PingTimeout of 0 is five seconds,
	//   - ConnConfig.ConnectTimeout of 0 is ten seconds, and one that is shorter
	//     leaves AfterConnect the rest of ten seconds,
	//   - HealthCheckPeriod is how long an idle connection goes unchecked,
	//     see ShouldPing, not how often its age is looked at, which is always
	//     known; 0 is for ever.
	*pgxpool.Config

	// Sharing says which tenant gets how much, and how long it waits. Its zero
	// value shares all connections equally.
	Sharing fairshare.Config

	// TenantSetting is the name of a PostgreSQL setting of your own, such as
	// "app.tenant", that is set to the name of the tenant in the session of a
	// connection each time before it is handed out, and to the empty string
	// afterwards, unless the next one who waits has it set to theirs at once;
	// or as TenantBinding says. Policies of row-level security read it with
	// current_setting('app.tenant'). "" sets nothing.
	//
	// The names of tenants must be text then: valid UTF-8 without a NUL byte.
	TenantSetting string

	// TenantBinding says for how long the setting is made, and so whether there
	// may be a connection pooler, such as PgBouncer, in front of the server.
	TenantBinding Binding

	// RequireRowSecurity refuses connections, with ErrNoRowSecurity, as a role
	// that policies of row-level security do not bind: a superuser, one with
	// BYPASSRLS, or the owner of a table that does not force them on its owner.
	// Without it Logger is told of the first, if there is a TenantSetting.
	RequireRowSecurity bool

	// ResetSession says whether the session is restored between two uses.
	ResetSession ResetSession

	// Guard reports connections that are not returned, among them those of
	// Rows, batches and transactions that nobody closes.
	Guard pool.Guard

	// Reclaim takes connections back from tenants that hold more than their
	// share. What runs on one has Grace to come to its end, then its query is
	// cancelled and it is closed. See Conn.Revoked.
	Reclaim pool.Reclaim

	// Trace is told what the pool does. For pgx's and pgxpool's tracers see
	// AcquireTracer.
	Trace pool.Trace

	// Logger is told what goes wrong with no caller to tell. nil is silent.
	Logger *slog.Logger
}

// ParseConfig returns the configuration for a connection string of
// pgxpool.ParseConfig, in which variables such as pool_max_conns may be set.
func ParseConfig(connString string) (*Config, error) {
	cfg, err := pgxpool.ParseConfig(connString)
	if err != nil {
		return nil, err
	}
	return &Config{Config: cfg}, nil
}

// Copy returns a copy of the configuration that may be modified without an effect
// on c. Functions, the tracer and the logger are the same in both.
func (c *Config) Copy() *Config {
	own := *c
	if c.Config != nil {
		own.Config = c.Config.Copy()
	}
	own.Sharing.Tenants = maps.Clone(c.Sharing.Tenants)
	return &own
}

// settingName is what PostgreSQL takes for the name of a setting that it does
// not know.
var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)+$`)

// check returns all that is wrong with c, apart from what package pool checks.
func (c *Config) check() error {
	if c.Config == nil || c.ConnConfig == nil {
		return errors.New("pgxfair: Config is not made by ParseConfig")
	}
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("pgxfair: Config."+format, args...))
	}
	if c.MaxConns < 1 {
		wrong("MaxConns is %d, must be between 1 and %d", c.MaxConns, math.MaxInt32)
	}
	for _, f := range []struct {
		name string
		n    int32
	}{{"MinConns", c.MinConns}, {"MinIdleConns", c.MinIdleConns}} {
		if f.n < 0 {
			wrong("%s is %d, must not be negative", f.name, f.n)
		} else if f.n > c.MaxConns {
			wrong("%s is %d, more than the MaxConns of %d", f.name, f.n, c.MaxConns)
		}
	}
	for _, f := range []struct {
		name string
		d    time.Duration
	}{
		{"MaxConnLifetime", c.MaxConnLifetime},
		{"MaxConnLifetimeJitter", c.MaxConnLifetimeJitter},
		{"MaxConnIdleTime", c.MaxConnIdleTime},
		{"HealthCheckPeriod", c.HealthCheckPeriod},
		{"PingTimeout", c.PingTimeout},
	} {
		if fault := unit.Fault(f.d); fault != "" {
			wrong("%s is %v, %s", f.name, f.d, fault)
		}
	}
	if c.TenantSetting != "" {
		if !settingName.MatchString(c.TenantSetting) {
			wrong("TenantSetting is %q, must be the name of a setting of your own, such as app.tenant", c.TenantSetting)
		} else if v, ok := c.ConnConfig.RuntimeParams[c.TenantSetting]; ok {
			wrong("ConnConfig.RuntimeParams[%q] is %q, but the setting is the TenantSetting", c.TenantSetting, v)
		}
	}
	if c.TenantBinding < BindSession || c.TenantBinding > BindTransaction {
		wrong("TenantBinding is %d, must be BindSession, BindPooledSession or BindTransaction", c.TenantBinding)
	} else if c.TenantBinding == BindTransaction && c.TenantSetting == "" {
		wrong("TenantBinding is BindTransaction without a TenantSetting")
	}
	if c.ResetSession < ResetOff || c.ResetSession > ResetAlways {
		wrong("ResetSession is %d, must be ResetOff, ResetDirty or ResetAlways", c.ResetSession)
	}
	return errors.Join(errs...)
}

// leastTimeout is how long a connection may take at least, with AfterConnect and all.
const leastTimeout = 10 * time.Second

// connectTimeout is how long a connection may take to one of the servers.
func (c *Config) connectTimeout() time.Duration {
	return max(c.ConnConfig.ConnectTimeout, leastTimeout)
}

// poolConfig returns the configuration of the pool underneath.
func (p *Pool) poolConfig() pool.Config[*session] {
	c := p.config
	cfg := pool.Config[*session]{
		Constructor:  p.connect,
		Destructor:   p.disconnect,
		BuildTimeout: c.connectTimeout() * time.Duration(1+len(c.ConnConfig.Fallbacks)),
		MaxSize:      int(c.MaxConns),
		Sharing:      c.Sharing,
		Sizes:        pool.Sizes{MinIdle: int(max(c.MinConns, c.MinIdleConns))},
		Age: pool.Age{
			MaxIdleTime:       c.MaxConnIdleTime,
			MaxLifetime:       c.MaxConnLifetime,
			MaxLifetimeJitter: c.MaxConnLifetimeJitter,
		},
		Health: pool.Health[*session]{
			Check:        p.ping,
			CheckAfter:   time.Second,
			CheckTimeout: c.PingTimeout,
			KeepAlive:    c.HealthCheckPeriod,
		},
		Guard:   c.Guard,
		Reclaim: c.Reclaim,
		Trace:   c.Trace,
		Logger:  c.Logger,
	}
	if c.MaxConnLifetime == 0 {
		cfg.Age.MaxLifetimeJitter = 0
	}
	if c.ShouldPing != nil {
		cfg.Health.CheckAfter = 1 // it is asked each time
	}
	if p.bindsSessions() {
		cfg.Tenancy.Prepare, cfg.Tenancy.PrepareInline = p.bind, true
	}
	if p.bindsSessions() || c.ResetSession != ResetOff || c.AfterRelease != nil {
		cfg.Tenancy.Reset = p.restore
		cfg.Tenancy.ResetIdle = c.ResetSession == ResetOff && c.AfterRelease == nil
	}
	return cfg
}
