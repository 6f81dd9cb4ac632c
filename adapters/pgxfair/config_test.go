package pgxfair_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// nowhere is the URL of a server that nobody asks.
const nowhere = "postgres://127.0.0.1:1/none"

func TestAMistakeInTheConfigurationIsNamedWithItsValue(t *testing.T) {
	for want, mistake := range map[string]func(c *pgxfair.Config){
		`pgxfair: Config is not made by ParseConfig`:                                                               func(c *pgxfair.Config) { c.Config = nil },
		`pgxfair: Config.MaxConns is 0, must be between 1 and 2147483647`:                                          func(c *pgxfair.Config) { c.MaxConns = 0 },
		`pgxfair: Config.MinConns is -1, must not be negative`:                                                     func(c *pgxfair.Config) { c.MinConns = -1 },
		`pgxfair: Config.MinIdleConns is 9, more than the MaxConns of 8`:                                           func(c *pgxfair.Config) { c.MinIdleConns = 9 },
		`pgxfair: Config.MaxConnLifetime is -1s, must not be negative`:                                             func(c *pgxfair.Config) { c.MaxConnLifetime = -time.Second },
		`pgxfair: Config.MaxConnLifetimeJitter is -1s, must not be negative`:                                       func(c *pgxfair.Config) { c.MaxConnLifetimeJitter = -time.Second },
		`pgxfair: Config.MaxConnIdleTime is -1s, must not be negative`:                                             func(c *pgxfair.Config) { c.MaxConnIdleTime = -time.Second },
		`pgxfair: Config.HealthCheckPeriod is -1s, must not be negative`:                                           func(c *pgxfair.Config) { c.HealthCheckPeriod = -time.Second },
		`pgxfair: Config.MaxConnLifetime is 1.8µs, must be at least 1ms; for seconds write 1800*time.Second`:       func(c *pgxfair.Config) { c.MaxConnLifetime = 1800 },
		`pgxfair: Config.PingTimeout is -1s, must not be negative`:                                                 func(c *pgxfair.Config) { c.PingTimeout = -time.Second },
		`pgxfair: Config.TenantSetting is "role", must be the name of a setting of your own, such as app.tenant`:   func(c *pgxfair.Config) { c.TenantSetting = "role" },
		`pgxfair: Config.TenantSetting is "app.t'", must be the name of a setting of your own, such as app.tenant`: func(c *pgxfair.Config) { c.TenantSetting = "app.t'" },
		`pgxfair: Config.ConnConfig.RuntimeParams["app.tenant"] is "x", but the setting is the TenantSetting`: func(c *pgxfair.Config) {
			c.TenantSetting = "app.tenant"
			c.ConnConfig.RuntimeParams["app.tenant"] = "x"
		},
		`pgxfair: Config.ResetSession is 3, must be ResetOff, ResetDirty or ResetAlways`: func(c *pgxfair.Config) { c.ResetSession = 3 },
		`pgxfair: Config.Guard.LeakAfter is -1s, must not be negative`:                   func(c *pgxfair.Config) { c.Guard.LeakAfter = -time.Second },
		`pgxfair: Config.Sharing.Default.Weight is -1, must be between 1e-06 and 1e+06, or 0 for 1`: func(c *pgxfair.Config) {
			c.Sharing.Default = fairshare.Share{Weight: -1}
		},
		"pgxfair: Config.MaxConns is 0, must be between 1 and 2147483647\npgxfair: Config.ResetSession is -1, must be ResetOff, ResetDirty or ResetAlways": func(c *pgxfair.Config) {
			c.MaxConns, c.ResetSession = 0, -1
		},
	} {
		cfg, err := pgxfair.ParseConfig(nowhere)
		require.NoError(t, err)
		cfg.MaxConns = 8
		mistake(cfg)
		_, err = pgxfair.NewWithConfig(t.Context(), cfg)
		require.EqualError(t, err, want)
	}
	_, err := pgxfair.NewWithConfig(t.Context(), &pgxfair.Config{Config: &pgxpool.Config{}})
	require.EqualError(t, err, "pgxfair: Config is not made by ParseConfig")
	_, err = pgxfair.New(t.Context(), nowhere+"?pool_max_conns=none")
	require.ErrorContains(t, err, "cannot parse pool_max_conns")
}

func TestAConnectionStringSetsTheSizeOfThePool(t *testing.T) {
	cfg, err := pgxfair.ParseConfig(nowhere + "?pool_max_conns=42&pool_min_conns=1&pool_min_idle_conns=2&pool_max_conn_lifetime=30s" +
		"&pool_max_conn_idle_time=31s&pool_max_conn_lifetime_jitter=32s&pool_health_check_period=33s&pool_ping_timeout=34s")
	require.NoError(t, err)
	require.Equal(t, "42 1 2 30s 31s 32s 33s 34s", fmt.Sprint(cfg.MaxConns, cfg.MinConns, cfg.MinIdleConns, cfg.MaxConnLifetime,
		cfg.MaxConnIdleTime, cfg.MaxConnLifetimeJitter, cfg.HealthCheckPeriod, cfg.PingTimeout))
	require.Empty(t, cfg.ConnConfig.RuntimeParams)

	db := open(t, nowhere, func(c *pgxfair.Config) { c.MaxConns = math.MaxInt32 })
	require.EqualValues(t, math.MaxInt32, db.Stat().MaxConns())
}

func TestANewPoolDoesNotConnect(t *testing.T) {
	db, err := pgxfair.New(t.Context(), nowhere)
	require.NoError(t, err)
	defer db.Close()
	require.EqualValues(t, 0, db.Stat().TotalConns())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.ErrorContains(t, db.Ping(ctx), "connection refused")
}

func TestThePoolKeepsACopyOfItsConfiguration(t *testing.T) {
	cfg, err := pgxfair.ParseConfig(nowhere)
	require.NoError(t, err)
	cfg.MaxConns, cfg.TenantSetting = 3, "app.tenant"
	db, err := pgxfair.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	defer db.Close()
	cfg.MaxConns, cfg.ConnConfig.Database = 4, "other"
	got := db.Config()
	require.EqualValues(t, 3, got.MaxConns)
	require.Equal(t, "none", got.ConnConfig.Database)
	require.Equal(t, "app.tenant", got.TenantSetting)
	got.ConnConfig.Database = "other"
	require.Equal(t, "none", db.Config().ConnConfig.Database)
}

// fillFields gives every exported field of a struct a value that is not zero.
func fillFields(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		f := v.Field(i)
		if !v.Type().Field(i).IsExported() || !f.IsZero() {
			continue
		}
		switch f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		case reflect.String:
			f.SetString("app.tenant")
		case reflect.Float64:
			f.SetFloat(1)
		case reflect.Struct:
			fillFields(t, f)
		case reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
			f.SetMapIndex(reflect.ValueOf("acme"), reflect.New(f.Type().Elem()).Elem())
		case reflect.Func:
			f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value { panic("not called") }))
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		default:
			require.True(t, f.CanInt(), "no value for the field %s", v.Type().Field(i).Name)
			f.SetInt(1)
		}
	}
}

func TestACopyOfAConfigIsTheSame(t *testing.T) {
	cfg, err := pgxfair.ParseConfig(nowhere)
	require.NoError(t, err)
	fillFields(t, reflect.ValueOf(cfg).Elem())
	var same func(path string, a, b reflect.Value)
	same = func(path string, a, b reflect.Value) {
		switch a.Kind() {
		case reflect.Struct:
			for i := range a.NumField() {
				same(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
			}
		case reflect.Func:
			require.Equal(t, a.Pointer(), b.Pointer(), path)
		case reflect.Map:
			require.Equal(t, a.Len(), b.Len(), path)
			require.NotEqual(t, a.Pointer(), b.Pointer(), "%s is shared", path)
		default:
			if base, ok := a.Interface().(*pgxpool.Config); ok {
				other := b.Interface().(*pgxpool.Config)
				require.NotSame(t, base, other)
				require.NotSame(t, base.ConnConfig, other.ConnConfig)
				require.Equal(t, base.ConnConfig.ConnString(), other.ConnConfig.ConnString())
				require.Equal(t, base.MaxConns, other.MaxConns)
				return
			}
			if a.CanInterface() {
				require.Equal(t, a.Interface(), b.Interface(), path)
			}
		}
	}
	own := cfg.Copy()
	require.NotSame(t, cfg.Config, own.Config)
	same("Config", reflect.ValueOf(cfg).Elem(), reflect.ValueOf(own).Elem())
	require.NotZero(t, own.TenantSetting)

	own.ConnConfig.Database = "other"
	own.Sharing.Tenants["other"] = fairshare.Share{}
	require.Equal(t, "none", cfg.ConnConfig.Database)
	require.Len(t, cfg.Sharing.Tenants, 1)
	require.NotPanics(t, func() { (&pgxfair.Config{}).Copy() })
}

func TestACallWithoutATenantFailsAtOnceWhereOneIsRequired(t *testing.T) {
	cfg, err := pgxfair.ParseConfig(nowhere)
	require.NoError(t, err)
	cfg.Sharing.RequireTenant = true
	db, err := pgxfair.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	defer db.Close()
	require.ErrorIs(t, db.Ping(t.Context()), pool.ErrNoTenant)
	require.ErrorIs(t, db.Tenant("").Ping(t.Context()), pool.ErrNoTenant)
	_, err = db.Query(t.Context(), "select 1")
	require.ErrorIs(t, err, pool.ErrNoTenant)
	require.Empty(t, db.AcquireAllIdle(t.Context()))
	err = db.Tenant("a").Ping(t.Context())
	require.Error(t, err)
	require.NotErrorIs(t, err, pool.ErrNoTenant)
}
