package pgxfair

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/pgtext"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// A session is a connection with what is known about it.
type session struct {
	conn     *pgx.Conn
	db       *stdlib.Conn // the same, for OpenDBFromPool
	users    atomic.Int32 // the holder, and hooks at work
	hijacked atomic.Bool
	holder   atomic.Pointer[string] // the tenant that has it, nil while it is idle
	dirty    *tagReader             // nil unless ResetDirty
	used     time.Time              // last, for ShouldPing
	backend  uint32                 // the process of the server, with BindPooledSession
	losses   uint64                 // of the pool, when it was known to live
}

// ResetSession says whether a session is restored after each use, which takes
// place off the path of the caller. A restored session is as DISCARD ALL leaves
// it: settings are as at the start, and there are no temporary tables, listeners,
// advisory locks or prepared statements, nor notifications that came in. What
// AfterConnect has set is gone too; RuntimeParams and PrepareConn are not
// affected. pgx has to prepare its cached statements anew.
type ResetSession int

const (
	// ResetOff leaves the session as it is.
	ResetOff ResetSession = iota
	// ResetDirty restores a session in which a command was run other than
	// SELECT, INSERT, UPDATE, DELETE, MERGE, COPY and those of transactions and
	// cursors, or one of the settings was changed that the server reports, such
	// as TimeZone. It does not see what else functions have done to a session,
	// such as set_config and pg_advisory_lock, nor CREATE TEMP TABLE AS.
	ResetDirty
	// ResetAlways restores it whatever was done.
	ResetAlways
)

// enter and leave enclose what uses the connection.
func (s *session) enter() { s.users.Add(1) }
func (s *session) leave() { s.users.Add(-1) }

// broken reports whether the connection cannot go on: it is closed, in the midst
// of something, or in a transaction.
func (s *session) broken() bool {
	pg := s.conn.PgConn()
	return pg.IsClosed() || pg.IsBusy() || pg.TxStatus() != 'I'
}

// ping is the Check of the pool.
func (p *Pool) ping(ctx context.Context, s *session) error {
	s.enter()
	defer s.leave()
	if ask := p.config.ShouldPing; ask != nil {
		if !ask(ctx, pgxpool.ShouldPingParams{Conn: s.conn, IdleDuration: time.Since(s.used)}) {
			return nil
		}
	}
	return s.conn.Ping(ctx)
}

// bind is the Prepare of the pool: it names the tenant to the session.
func (p *Pool) bind(ctx context.Context, s *session, h pool.Handover) error {
	s.enter()
	defer s.leave()
	if p.config.TenantBinding == BindPooledSession {
		pid, err := serverProcess(ctx, s)
		if err != nil {
			return p.notSet(s, err)
		}
		if err := p.backends.verify(s, pid); err != nil {
			return err
		}
	}
	return p.set(ctx, s, h.Tenant)
}

// set sets the setting for the tenant, for as long as the session lasts. It is
// a command of its own, which takes the server less time than a function with
// parameters would, and which no search_path can make another of.
func (p *Pool) set(ctx context.Context, s *session, tenant string) error {
	err := s.conn.PgConn().Exec(ctx, "set "+p.setting+" = "+pgtext.Literal(tenant)).Close()
	if err != nil {
		return p.notSet(s, err)
	}
	return nil
}

// notSet returns the error of a session in which the tenant could not be named.
func (p *Pool) notSet(s *session, err error) error {
	if s.conn.IsClosed() {
		p.losses.Add(1)
		return fmt.Errorf("pgxfair: set %s: %w: %w", p.config.TenantSetting, errLost, err)
	}
	return fmt.Errorf("pgxfair: set %s: %w", p.config.TenantSetting, err)
}

var errLost = errors.New("connection lost")

// quote shows a tenant's name in a message: odd bytes escaped, long names cut.
func quote(tenant string) string {
	const most = 64
	if len(tenant) <= most {
		return fmt.Sprintf("%q", tenant)
	}
	return fmt.Sprintf("%q... (%d bytes)", tenant[:most], len(tenant))
}

// restore is the Reset of the pool: it makes a session ready for the next
// tenant.
func (p *Pool) restore(ctx context.Context, s *session) error {
	s.enter()
	defer s.leave()
	if after := p.config.AfterRelease; after != nil && !after(s.conn) {
		return errDiscarded
	}
	if p.config.ResetSession == ResetAlways || s.dirty.take() {
		if err := discard(ctx, s.conn); err != nil {
			return fmt.Errorf("pgxfair: reset session: %w", err)
		}
		s.dirty.take() // it noticed
	}
	if p.bindsSessions() {
		return p.set(ctx, s, "")
	}
	return nil
}

var errDiscarded = errors.New("pgxfair: AfterRelease returned false")

// discard returns a session to its start.
func discard(ctx context.Context, conn *pgx.Conn) error {
	if err := conn.DeallocateAll(ctx); err != nil { // has pgx forget its statements
		return err
	}
	if _, err := conn.PgConn().Exec(ctx, "discard all").ReadAll(); err != nil {
		return err
	}
	// Those that came in while somebody listened. It waits for no others.
	over, cancel := context.WithCancel(ctx)
	cancel()
	for range math.MaxInt32 {
		if _, err := conn.WaitForNotification(over); err != nil {
			break
		}
	}
	return nil
}
