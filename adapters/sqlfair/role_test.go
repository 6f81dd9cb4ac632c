package sqlfair_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/stretchr/testify/require"
)

func TestARoleThatPoliciesDoNotBindIsToldOfOrRefused(t *testing.T) {
	server, admin := secured(t)
	for _, statement := range []string{
		"CREATE ROLE bypass LOGIN BYPASSRLS",
		"CREATE ROLE owner LOGIN",
		"CREATE TABLE mine (tenant text)",
		"ALTER TABLE mine ENABLE ROW LEVEL SECURITY",
		"ALTER TABLE mine OWNER TO owner",
	} {
		_, err := admin.Exec(statement)
		require.NoError(t, err)
	}
	for role, why := range map[string]string{"postgres": "superuser", "bypass": "BYPASSRLS", "owner": "it owns mine", "app": ""} {
		for _, name := range []string{"pgx", "pq"} {
			var log bytes.Buffer
			cfg := sqlfair.Config{
				MaxOpenConns: 2, Logger: slog.New(slog.NewTextHandler(&log, nil)),
				Tenancy: sqlfair.PostgresTenantBound("app.tenant", sqlfair.BindTransaction),
			}
			db, _ := open(t, drivers[name](t, server, role), cfg)
			fill(t, db, 2)
			require.NoError(t, db.Close())
			told := 0
			if why != "" {
				told = 1
			}
			require.Equal(t, told, strings.Count(log.String(), "does not bind the role"), "%s: %s", role, &log)
			require.Contains(t, log.String(), why)

			cfg.Tenancy.RequireRowSecurity = true
			db, _ = open(t, drivers[name](t, server, role), cfg)
			if err := db.PingContext(as("a")); why == "" {
				require.NoError(t, err, role)
			} else {
				require.ErrorIs(t, err, sqlfair.ErrNoRowSecurity, role)
				require.ErrorContains(t, err, why)
			}
		}
	}
	_, _, err := sqlfair.Open(drivers["pgx"](t, server, "app"), sqlfair.Config{
		MaxOpenConns: 1, Tenancy: sqlfair.Tenancy{RequireRowSecurity: true},
	})
	require.ErrorContains(t, err, "RequireRowSecurity")
}
