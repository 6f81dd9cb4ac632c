package sqlfair

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// ErrPooler is the error of a connection that leads to a pooler instead of the
// server, where PostgresTenant would keep the tenant in the session. Behind a
// pooler in transaction mode each transaction may be in another session, which
// another tenant has named last.
var ErrPooler = errors.New("a connection pooler, such as PgBouncer, is in front of the server")

// ErrTransactionPooling is the error of a connection that was said to keep its
// session, by BindPooledSession, and does not.
var ErrTransactionPooling = errors.New("a connection pooler in transaction mode is in front of the server")

// errUnknownDriver is the error of a driver whose connections do not show which
// process of the server they are to.
var errUnknownDriver = errors.New("its driver does not show whether a connection pooler, such as PgBouncer, is in front of the server")

// checkSession fails for a new connection that may not keep its session although
// the tenant is to be named there.
func (t *Tenancy) checkSession(ctx context.Context, s *session) error {
	if t.postgres == nil {
		return nil
	}
	if t.postgres.binding == BindTransaction {
		return executes(s.Conn)
	}
	conn, err := s.sql(ctx)
	if err != nil {
		return err
	}
	const advice = "Use PostgresTenantBound with BindTransaction, which works with transaction pooling (pool_mode = transaction) too; " +
		"or with BindPooledSession, if each connection keeps its session (pool_mode = session); or connect to the server itself"
	if t.postgres.binding == BindPooledSession {
		err := conn.QueryRowContext(ctx, "SELECT pg_catalog.pg_backend_pid()").Scan(&s.backend)
		if err == nil {
			s.source.backends.claim(s)
		}
		return err
	}
	pid, ok := processOf(s.Conn)
	if !ok {
		return fmt.Errorf("sqlfair: PostgresTenant: %T: %w. %s", s.Conn, errUnknownDriver, advice)
	}
	switch same, err := isProcess(ctx, conn, pid); {
	case err != nil:
		return fmt.Errorf("sqlfair: PostgresTenant: look for a pooler: %w", err)
	case !same:
		return fmt.Errorf("sqlfair: PostgresTenant: %w: the connection is to process %d, but another one answers. "+
			"With transaction pooling the session of one tenant serves another. %s", ErrPooler, pid, advice)
	}
	return nil
}

// isProcess asks whether a process of the server serves a connection. It reads no
// row: a driver may prepare what does, which not every pooler can do.
func isProcess(ctx context.Context, c *sql.Conn, pid uint32) (bool, error) {
	r, err := c.ExecContext(ctx, fmt.Sprintf("SELECT 1 WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) %d", int32(pid)))
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// processes are where drivers keep the number of the process of the server that a
// connection is to, by the type that has the field.
var processes = map[string]string{
	"github.com/jackc/pgx/v4/pgconn.PgConn": "pid",
	"github.com/jackc/pgconn.PgConn":        "pid",
	"github.com/jackc/pgx/v5/pgconn.PgConn": "pid",
	"github.com/lib/pq.conn":                "processID",
}

// processOf returns the process of the server that a connection is to, as far as
// its driver knows it. No interface of database/sql tells, so it looks for the
// field in the connection and in what that is wrapped in.
func processOf(c driver.Conn) (pid uint32, ok bool) {
	return findProcess(reflect.ValueOf(c), 6)
}

func findProcess(v reflect.Value, depth int) (pid uint32, ok bool) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || depth == 0 {
		return 0, false
	}
	path := v.Type().PkgPath()
	if i := strings.LastIndex(path, "/vendor/"); i >= 0 {
		path = path[i+len("/vendor/"):]
	}
	if name, known := processes[path+"."+v.Type().Name()]; known {
		switch f := v.FieldByName(name); {
		case f.CanInt():
			return uint32(f.Int()), true
		case f.CanUint():
			return uint32(f.Uint()), true
		}
		return 0, false
	}
	for i := range v.NumField() {
		if pid, ok := findProcess(v.Field(i), depth-1); ok {
			return pid, true
		}
	}
	return 0, false
}

// backends are the processes of the server behind the connections of a DB with
// BindPooledSession.
type backends struct {
	mu     sync.Mutex
	owner  map[uint32]*session // by process, the connection that was found there last
	shared bool                // one was found to serve two connections
}

// claim takes note of the process that serves a new connection. It may have
// served another one before, which has ended without a word.
func (b *backends) claim(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.owner == nil {
		b.owner = map[uint32]*session{}
	}
	b.owner[s.backend] = s
}

// verify fails if a connection that works has not kept its process to itself;
// from then on for every connection.
func (b *backends) verify(s *session, same bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shared = b.shared || !same || b.owner[s.backend] != s
	if !b.shared {
		return nil
	}
	return fmt.Errorf("sqlfair: %w: connections share processes of the server, so the tenant must not be bound by "+
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
