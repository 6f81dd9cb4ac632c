package pgxfair

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// goodbye is how long the place of a connection waits for its end. One that
	// the server has confirmed by then leaves no more than MaxConns there. Of
	// one that is silent nothing can be known: its place is free then, and its
	// close goes on for disconnectTimeout at most.
	goodbye           = time.Second
	disconnectTimeout = 15 * time.Second
)

// connect is the Constructor of the pool.
func (p *Pool) connect(ctx context.Context) (_ *session, err error) {
	ctx = inherited{ctx, p.values}
	epoch := p.epoch.Load()
	defer func() {
		if err == nil {
			p.latest.Store(epoch + 1)
		} else if errors.Is(err, syscall.ECONNREFUSED) && p.latest.Load() == epoch+1 {
			p.failedOver(epoch) // once: in an outage the next ones are refused too
		}
	}()
	s := &session{losses: p.losses.Load()}
	config := p.config.ConnConfig.Copy()
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = p.config.connectTimeout() // or the second server has no time left
	}
	if p.config.BeforeConnect != nil {
		if err := p.config.BeforeConnect(ctx, config); err != nil {
			return nil, err
		}
	}
	p.watch(config, s, epoch)
	// The connection of database/sql is no more than a few fields around it.
	db, err := stdlib.GetConnector(*config).Connect(ctx)
	if err != nil {
		return nil, err
	}
	s.db = db.(*stdlib.Conn)
	s.conn = s.db.Conn()
	if err := p.checkSession(ctx, s); err != nil {
		p.hangUp(s)
		return nil, err
	}
	if err := p.checkRole(ctx, s); err != nil {
		p.backends.leave(s)
		p.hangUp(s)
		return nil, err
	}
	if p.config.AfterConnect != nil {
		if err := p.config.AfterConnect(ctx, s.conn); err != nil {
			p.backends.leave(s)
			p.hangUp(s)
			return nil, err
		}
	}
	s.dirty.take() // so far it is as it shall be
	s.used = time.Now()
	return s, nil
}

// inherited is a context with the values of another one.
type inherited struct {
	context.Context
	values context.Context
}

func (c inherited) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}

// watch has a connection tell what the pool wants to know of it.
func (p *Pool) watch(config *pgx.ConnConfig, s *session, epoch uint64) {
	onError := config.OnPgError
	config.OnPgError = func(c *pgconn.PgConn, e *pgconn.PgError) bool {
		p.heard(s, e.Code, epoch)
		if onError != nil {
			return onError(c, e)
		}
		return e.Severity != "FATAL"
	}
	onNotice := config.OnNotice // in a crash the server says so in a warning
	config.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		p.heard(s, n.Code, epoch)
		if onNotice != nil {
			onNotice(c, n)
		}
	}
	if p.config.ResetSession == ResetDirty {
		after := config.AfterNetConnect
		config.AfterNetConnect = func(ctx context.Context, c *pgconn.Config, conn net.Conn) (net.Conn, error) {
			if after != nil {
				own, err := after(ctx, c, conn)
				if err != nil {
					return conn, err // pgx closes it
				}
				conn = own
			}
			s.dirty = &tagReader{Conn: conn}
			return s.dirty, nil
		}
	}
}

// heard takes note of an SQLSTATE by which a server says that a connection is at
// an end, and perhaps all: admin_shutdown, which one connection may have been
// singled out for, crash_shutdown, cannot_connect_now.
func (p *Pool) heard(s *session, code string, epoch uint64) {
	if s.hijacked.Load() {
		return
	}
	switch code {
	case "57P01":
		p.losses.Add(1)
		if p.terminations.several(s.holder.Load(), time.Now()) {
			p.failedOver(epoch)
		}
	case "57P02", "57P03":
		p.failedOver(epoch)
	}
}

// terminations are the connections that the server has ended one by one.
type terminations struct {
	mu   sync.Mutex
	last time.Time
	by   *string // the tenant that held it, nil for an idle one
}

// aMoment is how close together terminations are that have one cause.
const aMoment = 200 * time.Millisecond

// several takes note of a termination, and reports whether it is one of several
// at a time. A tenant may end its own as often as it likes: that tells nothing
// about the others.
func (t *terminations) several(holder *string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	recent := !t.last.IsZero() && now.Sub(t.last) < aMoment
	same := holder != nil && t.by != nil && *holder == *t.by
	t.last, t.by = now, holder
	return recent && !same
}

// failedOver retires the connections that were there when the server failed
// over: those made in the given epoch and before. The first one to notice does
// it.
func (p *Pool) failedOver(epoch uint64) {
	if p.epoch.CompareAndSwap(epoch, epoch+1) {
		p.fair.Reset()
	}
}

// disconnect is the Destructor of the pool.
func (p *Pool) disconnect(s *session) {
	p.backends.leave(s)
	if s.users.Load() > 0 {
		p.cutOff(s)
		return
	}
	if p.config.BeforeClose != nil {
		p.config.BeforeClose(s.conn)
	}
	p.hangUp(s)
}

func (p *Pool) hangUp(s *session) {
	within(goodbye, func() {
		ctx, cancel := context.WithTimeout(context.Background(), disconnectTimeout)
		defer cancel()
		s.conn.Close(ctx)
		select {
		case <-s.conn.PgConn().CleanupDone():
		case <-ctx.Done():
		}
	})
}

// cutOff ends a connection that somebody has not returned in time and may be
// using: of a pgx.Conn, only this much may be done from another goroutine.
func (p *Pool) cutOff(s *session) {
	within(goodbye, func() {
		ctx, cancel := context.WithTimeout(context.Background(), disconnectTimeout)
		defer cancel()
		pg := s.conn.PgConn()
		pg.CancelRequest(ctx)
		pg.Conn().Close()
	})
}

// within waits for what f does, but for no longer than d.
func within(d time.Duration, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	patience := time.NewTimer(d)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	}
}
