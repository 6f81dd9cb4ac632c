package pgxfair_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

func TestARoleThatPoliciesDoNotBindIsToldOfOrRefused(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	prepareSiege(t, server)
	execute(t, server.URL("postgres"),
		"create role bypass login bypassrls",
		"create role owner login",
		"create role heir login in role owner",
		"create role forced login",
		"create table mine (tenant text)",
		"alter table mine enable row level security",
		"alter table mine owner to owner",
		"create table his (tenant text)",
		"alter table his enable row level security",
		"alter table his force row level security",
		"alter table his owner to forced",
	)
	for role, why := range map[string]string{
		"postgres": "superuser", "bypass": "BYPASSRLS", "owner": "it owns mine", "heir": "it owns mine", "app": "", "forced": "",
	} {
		for _, binding := range []pgxfair.Binding{pgxfair.BindSession, pgxfair.BindTransaction} {
			var log bytes.Buffer
			db := open(t, server.URLFor(role, "postgres"), func(c *pgxfair.Config) {
				c.TenantSetting, c.TenantBinding = "app.tenant", binding
				c.Logger = slog.New(slog.NewTextHandler(&log, nil))
			})
			fill(t, db, 2)
			db.Close()
			told := 0
			if why != "" {
				told = 1
			}
			require.Equal(t, told, strings.Count(log.String(), "does not bind the role"), "%s: %s", role, &log)
			require.Contains(t, log.String(), why)
		}
		db := open(t, server.URLFor(role, "postgres"), func(c *pgxfair.Config) { c.RequireRowSecurity = true })
		err := db.Ping(t.Context())
		if why == "" {
			require.NoError(t, err, role)
			continue
		}
		require.ErrorIs(t, err, pgxfair.ErrNoRowSecurity, role)
		require.ErrorContains(t, err, why)
		require.ErrorContains(t, err, role)
	}
}
