package pgxfair

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// disconnectTimeout is how long the end of a connection may take.
const disconnectTimeout = 15 * time.Second

// connect is the Constructor of the pool.
func (p *Pool) connect(ctx context.Context) (_ *session, err error) {
	ctx = inherited{ctx, p.values}
	epoch := p.epoch.Load()
	defer func() {
		if errors.Is(err, syscall.ECONNREFUSED) {
			p.failedOver(epoch)
		}
	}()
	s := &session{losses: p.losses.Load()}
	config := p.config.ConnConfig.Copy()
	if p.config.BeforeConnect != nil {
		if err := p.config.BeforeConnect(ctx, config); err != nil {
			return nil, err
		}
	}
	p.watch(config, s, epoch)
	s.conn, err = pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := p.checkSession(ctx, s); err != nil {
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
		if failover[e.Code] && !s.hijacked.Load() {
			p.failedOver(epoch)
		}
		if onError != nil {
			return onError(c, e)
		}
		return e.Severity != "FATAL"
	}
	onNotice := config.OnNotice // in a crash the server says so in a warning
	config.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		if failover[n.Code] && !s.hijacked.Load() {
			p.failedOver(epoch)
		}
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

// failover are the SQLSTATEs by which a server says that all its connections are
// at an end, or may be: admin_shutdown, crash_shutdown, cannot_connect_now.
var failover = map[string]bool{"57P01": true, "57P02": true, "57P03": true}

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
	ctx, cancel := context.WithTimeout(context.Background(), disconnectTimeout)
	defer cancel()
	s.conn.Close(ctx)
	select {
	case <-s.conn.PgConn().CleanupDone():
	case <-ctx.Done():
	}
}

// cutOff ends a connection that somebody has not returned in time and may be
// using: of a pgx.Conn, only this much may be done from another goroutine.
func (p *Pool) cutOff(s *session) {
	ctx, cancel := context.WithTimeout(context.Background(), disconnectTimeout)
	defer cancel()
	pg := s.conn.PgConn()
	pg.CancelRequest(ctx)
	pg.Conn().Close()
}
