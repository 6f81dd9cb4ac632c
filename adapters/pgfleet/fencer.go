package pgfleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/jackc/pgx/v5"
)

// ApplicationName is the application_name by which a Fencer recognizes the
// sessions that a process has opened under a token, 33 bytes or less. The
// connections of a process carry it from their start:
//
//	Constructor: func(ctx context.Context) (*pgx.Conn, error) {
//		cfg := cfg.Copy()
//		cfg.RuntimeParams["application_name"] = pgfleet.ApplicationName(process, member.Token())
//		return pgx.ConnectConfig(ctx, cfg)
//	}
func ApplicationName(process string, token int64) string {
	hash := sha256.Sum256([]byte(process))
	return "fleet:" + hex.EncodeToString(hash[:6]) + ":" + strconv.FormatInt(token, 36)
}

// A Fencer ends the sessions at a PostgreSQL server that a process has left, by
// their ApplicationName. The zero Fencer is not ready for use.
type Fencer struct {
	// DB leads to the server at which the processes of the fleet have their
	// sessions, as a role that may end them: the same, or a member of
	// pg_signal_backend. It is not one of the leased connections, and does not
	// go through a PgBouncer that the sessions go through.
	DB DB
}

var _ fleet.Fencer = Fencer{}

// Fence ends the sessions and waits, until ctx ends, until they are gone.
func (f Fencer) Fence(ctx context.Context, process string, token int64) error {
	if f.DB == nil {
		return errors.New("pgfleet: Fencer.DB is nil")
	}
	const end = `SELECT count(*) FILTER (WHERE NOT pg_terminate_backend(pid, 1000))
		FROM pg_stat_activity WHERE application_name = $1::text`
	db := f.DB
	if s := own(db); s != nil {
		defer s.close(context.WithoutCancel(ctx))
		db = s
	}
	var left int
	if err := db.QueryRow(ctx, end, pgx.QueryExecModeExec, ApplicationName(process, token)).Scan(&left); err != nil {
		return fmt.Errorf("pgfleet: fence: %w", err)
	}
	const count = `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1::text`
	if err := db.QueryRow(ctx, count, pgx.QueryExecModeExec, ApplicationName(process, token)).Scan(&left); err != nil {
		return fmt.Errorf("pgfleet: fence: %w", err)
	}
	if left > 0 {
		return fmt.Errorf("pgfleet: fence: %d sessions of %.40q have not ended", left, process)
	}
	return nil
}
