package sqlfair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// errOpen is the error of a Bind that finds itself in a transaction.
var errOpen = errors.New("sqlfair: the last holder left a transaction open")

// PostgresTenant returns the Tenancy that keeps the tenant's name in a setting
// of the PostgreSQL session, such as "app.tenant", for row-level security:
//
//	CREATE POLICY tenant ON orders USING (tenant = current_setting('app.tenant'))
//
// The setting is made on every hand-out and emptied on return. A session in
// which a transaction was left open is closed. Names that PostgreSQL cannot hold
// are refused: those with NUL bytes or invalid UTF-8. The role of the session
// must be subject to the policy: neither a superuser nor the owner of the table.
//
// It panics if the setting is not of the form "prefix.name".
func PostgresTenant(setting string) Tenancy {
	if prefix, name, ok := strings.Cut(setting, "."); !ok || prefix == "" || name == "" {
		panic(fmt.Sprintf("sqlfair: setting is %q, must have the form prefix.name", setting))
	}
	// What is set locally lasts no longer than a transaction. If it is still
	// there at the next hand-out, there is one.
	const open = "fairpool.open"
	return Tenancy{
		Admit: func(tenant string) error {
			if strings.ContainsRune(tenant, 0) || !utf8.ValidString(tenant) {
				return fmt.Errorf("sqlfair: tenant is %.100q, must be UTF-8 without NUL bytes", tenant)
			}
			return nil
		},
		Bind: func(ctx context.Context, c *sql.Conn, tenant string) error {
			r, err := c.ExecContext(ctx, "SELECT set_config($1, $2, false) WHERE coalesce(current_setting($3, true), '') = ''",
				setting, tenant, open)
			if err != nil {
				return err
			}
			if rows, err := r.RowsAffected(); err != nil || rows != 1 {
				return errors.Join(errOpen, err)
			}
			return nil
		},
		Reset: func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "SELECT set_config($1, '', false), set_config($2, 'yes', true)", setting, open)
			return err
		},
	}
}
