package pgfleet

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A session runs statements on one connection of its own. A pool dials without the
// context of its caller, so that dials which hang keep everybody waiting for
// minutes after the network is back; here a dial ends with the statement that
// needs it. It is opened when it is needed.
type session struct {
	dial func(ctx context.Context) (*pgx.Conn, error)
	turn chan struct{} // holds a token while nobody uses conn
	conn *pgx.Conn     // nil: none is open
}

// own returns a session with the settings of db, or nil if they cannot be known.
func own(db DB) *session {
	s := &session{turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	switch db := db.(type) {
	case *pgxpool.Pool:
		config := db.Config()
		s.dial = func(ctx context.Context) (*pgx.Conn, error) { return connect(ctx, config) }
	case *pgx.Conn:
		config := db.Config()
		s.dial = func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, config) }
	default:
		return nil
	}
	return s
}

// connect makes a connection as the pool of that configuration would.
func connect(ctx context.Context, config *pgxpool.Config) (*pgx.Conn, error) {
	settings := config.ConnConfig.Copy()
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, settings); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil || config.AfterConnect == nil {
		return conn, err
	}
	if err := config.AfterConnect(ctx, conn); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// with calls f with the connection. A connection that f leaves closed is replaced
// the next time.
func (s *session) with(ctx context.Context, f func(*pgx.Conn) error) (err error) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.conn == nil || s.conn.IsClosed() {
		if s.conn, err = s.dial(ctx); err != nil {
			return err
		}
	}
	return f(s.conn)
}

// close closes the connection if there is one.
func (s *session) close(ctx context.Context) {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return
	}
	if s.conn != nil {
		_ = s.conn.Close(ctx)
		s.conn = nil
	}
	s.turn <- struct{}{}
}

func (s *session) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	err = s.with(ctx, func(conn *pgx.Conn) error {
		tag, err = conn.Exec(ctx, sql, args...)
		return err
	})
	return tag, err
}

func (s *session) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return row(func(dest []any) error {
		return s.with(ctx, func(conn *pgx.Conn) error { return conn.QueryRow(ctx, sql, args...).Scan(dest...) })
	})
}

// A row is a query that is still to be made.
type row func(dest []any) error

func (r row) Scan(dest ...any) error { return r(dest) }
