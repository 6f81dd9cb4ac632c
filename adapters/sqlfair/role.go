package sqlfair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/adapters/internal/pgrole"
)

// ErrNoRowSecurity is the error of a connection whose role policies of row-level
// security do not bind, with Tenancy.RequireRowSecurity.
var ErrNoRowSecurity = errors.New("row-level security does not bind the role")

// checkRole tells of a role that sees the rows of all tenants whatever the setting
// is, or fails.
func (s *source) checkRole(ctx context.Context, own *session) error {
	t, logger := &s.config.Tenancy, s.config.Logger
	if t.postgres == nil || !t.RequireRowSecurity && logger == nil {
		return nil
	}
	conn, err := own.sql(ctx)
	if err != nil {
		return err
	}
	// In a transaction a pooler keeps the session for as long as it takes.
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sqlfair: look for what policies do not bind: %w", err)
	}
	defer tx.Rollback()
	var why string
	switch err := tx.QueryRowContext(ctx, pgrole.Unbound).Scan(&why); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("sqlfair: look for what policies do not bind: %w", err)
	case t.RequireRowSecurity:
		return fmt.Errorf("sqlfair: Tenancy.RequireRowSecurity: %w: %s", ErrNoRowSecurity, why)
	}
	s.warned.Do(func() {
		logger.WarnContext(ctx, "row-level security does not bind the role, which sees the rows of all tenants", "why", why)
	})
	return nil
}
