package sqlfair

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fairpool/fairpool/adapters/internal/pgtext"
)

// errOpen is the error of a Bind that finds itself in a transaction. Whoever
// comes upon it is to get another connection, however many are like that.
var errOpen = fmt.Errorf("sqlfair: the last holder left a transaction open: %w", driver.ErrBadConn)

// PostgresTenant returns the Tenancy that keeps the tenant's name in a setting
// of the PostgreSQL session, such as "app.tenant", for row-level security:
//
//	CREATE POLICY tenant ON orders USING (tenant = current_setting('app.tenant'))
//
// The setting is made on every hand-out and emptied on return. There must be no
// connection pooler, such as PgBouncer, in front of the server: connections to
// one are refused with ErrPooler; see PostgresTenantBound. A session in which a transaction was left open is closed. Names that PostgreSQL cannot hold
// are refused: those with NUL bytes or invalid UTF-8. The role of the session
// must be subject to the policy: neither a superuser nor the owner of the table.
// It protects from mistakes in queries: a tenant that can run SQL of its own can
// change the setting, and what else it does to its session stays there.
//
// It panics if the setting is not of the form "prefix.name".
func PostgresTenant(setting string) Tenancy { return PostgresTenantBound(setting, BindSession) }

// PostgresTenantBound is PostgresTenant with a choice of how long the setting
// lasts, and so of whether there may be a connection pooler in front of the
// server. It panics if there is no such Binding.
func PostgresTenantBound(setting string, how Binding) Tenancy {
	prefix, name, ok := strings.Cut(setting, ".")
	if !ok || prefix == "" || name == "" {
		panic(fmt.Sprintf("sqlfair: setting is %q, must have the form prefix.name", setting))
	}
	if how < BindSession || how > BindTransaction {
		panic(fmt.Sprintf("sqlfair: binding is %d, must be BindSession, BindPooledSession or BindTransaction", how))
	}
	b := &binder{setting: identifier(prefix) + "." + identifier(name), binding: how, literal: pgtext.Literal}
	admit := func(tenant string) error {
		if strings.ContainsRune(tenant, 0) || !utf8.ValidString(tenant) {
			return fmt.Errorf("sqlfair: tenant is %.100q, must be UTF-8 without NUL bytes", tenant)
		}
		return nil
	}
	if how == BindTransaction {
		return Tenancy{Admit: admit, postgres: b}
	}
	// What is set locally lasts no longer than a transaction. If it is still
	// there at the next hand-out, there is one. The last holder may have put
	// functions and operators of its own before those of PostgreSQL, and have
	// text read in another encoding.
	const open = "'fairpool.open'"
	setting = pgtext.Literal(setting)
	return Tenancy{
		postgres: b,
		Admit:    admit,
		Bind: func(ctx context.Context, c *sql.Conn, tenant string) error {
			// It does not select the name, which may not exist in that encoding.
			r, err := c.ExecContext(ctx, "SELECT pg_catalog.set_config("+setting+", "+pgtext.Literal(tenant)+", false) IS NULL"+
				" WHERE coalesce(pg_catalog.current_setting("+open+", true), '') OPERATOR(pg_catalog.=) ''")
			if err != nil {
				return err
			}
			if how == BindPooledSession {
				if err := verify(ctx, c); err != nil {
					return err
				}
			}
			if rows, err := r.RowsAffected(); err != nil || rows != 1 {
				return errors.Join(errOpen, err)
			}
			return nil
		},
		Reset: func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "SELECT pg_catalog.set_config("+setting+", '', false),"+
				" pg_catalog.set_config("+open+", 'yes', true)")
			return err
		},
	}
}

// verify fails if a connection has not kept its session.
func verify(ctx context.Context, c *sql.Conn) error {
	var s *session
	err := c.Raw(func(own any) error {
		s = own.(interface{ of() *session }).of()
		return nil
	})
	if err != nil {
		return err
	}
	same, err := isProcess(ctx, c, s.backend)
	if err != nil {
		return err
	}
	return s.source.backends.verify(s, same)
}

// identifier returns a name as SQL has it.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
