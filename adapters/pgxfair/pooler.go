package pgxfair

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
)

// ErrPooler is the error of a connection that leads to a pooler instead of the
// server, where the pool would keep something in the session: with BindSession
// the tenant, with ResetSession what is to be removed. Behind a pooler in
// transaction mode each transaction may be in another session, which another
// tenant has named last.
var ErrPooler = errors.New("a connection pooler, such as PgBouncer, is in front of the server")

// ErrTransactionPooling is the error of a connection that was said to keep its
// session, by BindPooledSession, and does not.
var ErrTransactionPooling = errors.New("a connection pooler in transaction mode is in front of the server")

// bindsSessions reports whether the sessions know the tenant.
func (p *Pool) bindsSessions() bool {
	return p.config.TenantSetting != "" && p.config.TenantBinding != BindTransaction
}

// keepsSessions reports whether something depends on that a connection has the
// same session from its begin to its end.
func (p *Pool) keepsSessions() bool {
	return p.bindsSessions() || p.config.ResetSession != ResetOff
}

// backends are the processes of the server behind the connections of a pool with
// BindPooledSession.
type backends struct {
	mu     sync.Mutex
	owner  map[uint32]*session // by process, the connection that was found there last
	shared bool                // one was found to serve two connections
}

// claim takes note of the process that serves a new connection. It may have
// served another one before, which has ended without a word.
func (b *backends) claim(s *session, pid uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.owner == nil {
		b.owner = map[uint32]*session{}
	}
	b.owner[pid], s.backend = s, pid
}

// verify fails if a connection that works has not kept its process to itself;
// from then on for every connection.
func (b *backends) verify(s *session, pid uint32) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shared = b.shared || pid != s.backend || b.owner[pid] != s
	if !b.shared {
		return nil
	}
	return fmt.Errorf("pgxfair: %w: connections share processes of the server, so Config.TenantBinding must not be "+
		"BindPooledSession; BindTransaction works there", ErrTransactionPooling)
}

// leave forgets a connection that is about to end.
func (b *backends) leave(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.owner[s.backend] == s {
		delete(b.owner, s.backend)
	}
}

// checkSession fails for a connection that may not keep its session although
// that matters.
func (p *Pool) checkSession(ctx context.Context, s *session) error {
	if !p.keepsSessions() {
		return nil
	}
	pid, err := serverProcess(ctx, s)
	if err != nil {
		return fmt.Errorf("pgxfair: look for a pooler: %w", err)
	}
	if p.config.TenantBinding == BindPooledSession {
		p.backends.claim(s, pid)
		return nil
	}
	if own := s.conn.PgConn().PID(); pid != own {
		what, instead := "TenantSetting", "TenantBinding to BindTransaction"
		if !p.bindsSessions() {
			what, instead = "ResetSession", "ResetSession to ResetOff"
		}
		return fmt.Errorf("pgxfair: Config.%s: %w: the connection is to process %d, but process %d answers. With transaction pooling "+
			"(pool_mode = transaction) the session of one tenant serves another. Set Config.%s, which works there; "+
			"or TenantBinding to BindPooledSession, if each connection keeps its session (pool_mode = session); "+
			"or connect to the server itself", what, ErrPooler, own, pid, instead)
	}
	return nil
}

// serverProcess asks which process of the server serves a connection.
func serverProcess(ctx context.Context, s *session) (uint32, error) {
	results, err := s.conn.PgConn().Exec(ctx, "select pg_catalog.pg_backend_pid()").ReadAll()
	if err != nil {
		return 0, err
	}
	pid, err := strconv.ParseUint(string(results[0].Rows[0][0]), 10, 32)
	return uint32(pid), err
}
