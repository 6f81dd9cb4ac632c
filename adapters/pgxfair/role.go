package pgxfair

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/adapters/internal/pgrole"
)

// ErrNoRowSecurity is the error of a connection whose role policies of row-level
// security do not bind, with Config.RequireRowSecurity.
var ErrNoRowSecurity = errors.New("row-level security does not bind the role")

// checkRole tells of a role that sees the rows of all tenants whatever the setting
// is, or fails.
func (p *Pool) checkRole(ctx context.Context, s *session) error {
	if !p.config.RequireRowSecurity && (p.config.TenantSetting == "" || p.config.Logger == nil) {
		return nil
	}
	results, err := s.conn.PgConn().Exec(ctx, pgrole.Unbound).ReadAll()
	if err != nil {
		return fmt.Errorf("pgxfair: look for what policies do not bind: %w", err)
	}
	if len(results[0].Rows) == 0 {
		return nil
	}
	why := string(results[0].Rows[0][0])
	if p.config.RequireRowSecurity {
		return fmt.Errorf("pgxfair: Config.RequireRowSecurity: %w %s: %s", ErrNoRowSecurity, s.conn.Config().User, why)
	}
	p.warned.Do(func() {
		p.config.Logger.WarnContext(ctx, "row-level security does not bind the role, which sees the rows of all tenants",
			"role", s.conn.Config().User, "why", why)
	})
	return nil
}
