package pgxfair

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fairpool/fairpool/adapters/internal/pgtext"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A Binding says how PostgreSQL learns the tenant of a statement, see
// Config.TenantBinding.
type Binding int

const (
	// BindSession sets the TenantSetting in the session when a connection is
	// handed out, and wipes it on return. A connection has to lead to one
	// session for as long as it lasts. So one that a pooler answers, such as
	// PgBouncer, is refused with ErrPooler when it is made.
	BindSession Binding = iota

	// BindPooledSession is BindSession behind a pooler in session mode
	// (pool_mode = session), which no connection can prove. The pool asks at
	// each hand-out whether the session is still the one that the connection
	// began with, and fails with ErrTransactionPooling if not. That reveals a
	// wrong setting before long, but not before a row may have been seen.
	BindPooledSession

	// BindTransaction sets the TenantSetting for one transaction at a time, and
	// works behind a pooler in transaction mode. A statement outside of a
	// transaction is sent together with the setting, in one round trip, and
	// the two are a transaction; a transaction of the caller begins with the
	// setting. Nothing is left to wipe.
	//
	// Statements that must not be in a transaction, such as VACUUM, fail. What
	// runs on Conn.Conn itself names no tenant.
	BindTransaction
)

// bindSQL returns the statement that names the tenant until the end of the
// transaction. The name is in hexadecimal digits, which mean the same in each
// client_encoding, and no search_path makes another function of these. It selects
// no text, for the name may not exist in that encoding.
func bindSQL(setting string) string {
	return "select pg_catalog.set_config(" + pgtext.Literal(setting) +
		", pg_catalog.convert_from(pg_catalog.decode($1, 'hex'), 'UTF8'), true) is null"
}

// local reports whether a statement has to name the tenant. In a transaction that
// has failed only its end can run.
func (c *Conn) local() bool {
	return c.pool.bindLocal != "" && c.session.conn.PgConn().TxStatus() != 'E'
}

// bound returns a batch in which the tenant is named before anything else, and
// where in the batch that is. A batch that begins a transaction has it there.
func (c *Conn) bound(b *pgx.Batch) (with *pgx.Batch, at int) {
	own := *b // with the options of a Batch.BeginTx
	if len(b.QueuedQueries) > 0 && begins(b.QueuedQueries[0].SQL) {
		at = 1
	}
	name := &pgx.QueuedQuery{SQL: c.pool.bindLocal, Arguments: []any{hex.EncodeToString([]byte(c.tenant))}}
	own.QueuedQueries = slices.Insert(slices.Clone(b.QueuedQueries), at, name)
	return &own, at
}

// begins reports whether a statement does nothing but begin a transaction.
func begins(sql string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	return (strings.EqualFold(word, "begin") || strings.EqualFold(word, "start")) && !strings.Contains(sql, ";")
}

// pipelined reports whether a statement can share a round trip with the one that
// names the tenant: if it is one statement, and its arguments are no options of
// pgx, which a batch has not.
func pipelined(sql string, args []any) bool {
	if len(args) == 0 {
		return sql != "" && !strings.Contains(sql, ";")
	}
	switch args[0].(type) {
	case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
		return false
	}
	return true
}

// execBound is Exec in a transaction of its own.
func (c *Conn) execBound(ctx context.Context, sql string, args []any) (tag pgconn.CommandTag, err error) {
	if pipelined(sql, args) {
		results := c.sendBound(ctx, sql, args)
		tag, err = results.Exec()
		if fault := results.Close(); err == nil {
			err = fault
		}
		return tag, err
	}
	end, err := c.enter(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err = c.session.conn.Exec(ctx, sql, args...)
	return tag, end(err)
}

// queryBound is Query in a transaction of its own, which ends with the rows.
func (c *Conn) queryBound(ctx context.Context, sql string, args []any) (pgx.Rows, error) {
	if pipelined(sql, args) {
		results := c.sendBound(ctx, sql, args)
		r, err := results.Query()
		own := &boundRows{Rows: r, end: func(error) error { return results.Close() }}
		if err != nil {
			own.Close()
		}
		return own, err
	}
	end, err := c.enter(ctx)
	if err != nil {
		return noRows{err: err}, err
	}
	r, err := c.session.conn.Query(ctx, sql, args...)
	own := &boundRows{Rows: r, end: end}
	if err != nil {
		own.Close()
	}
	return own, err
}

// queryRowBound is QueryRow in a transaction of its own, which ends with the
// Scan.
func (c *Conn) queryRowBound(ctx context.Context, sql string, args []any) pgx.Row {
	if pipelined(sql, args) {
		results := c.sendBound(ctx, sql, args)
		return &boundRow{results.QueryRow(), func(error) error { return results.Close() }}
	}
	end, err := c.enter(ctx)
	if err != nil {
		return noRows{err: err}
	}
	return &boundRow{c.session.conn.QueryRow(ctx, sql, args...), end}
}

// sendBound sends the tenant's name and a statement.
func (c *Conn) sendBound(ctx context.Context, sql string, args []any) pgx.BatchResults {
	b := &pgx.Batch{QueuedQueries: make([]*pgx.QueuedQuery, 0, 1)}
	b.Queue(sql, args...)
	return c.sendBatchBound(ctx, b)
}

func (c *Conn) sendBatchBound(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if len(b.QueuedQueries) == 0 {
		return c.session.conn.SendBatch(ctx, b)
	}
	with, at := c.bound(b)
	return &boundResults{BatchResults: c.session.conn.SendBatch(ctx, with), until: at}
}

// beginBound begins a transaction and names the tenant in it, in one round trip.
func (c *Conn) beginBound(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	if o.BeginQuery == "" {
		o.BeginQuery = beginSQL(o)
	}
	o.BeginQuery += "; " + c.setLocal()
	return c.session.conn.BeginTx(ctx, o)
}

// setLocal returns the command that names the tenant until the end of the
// transaction.
func (c *Conn) setLocal() string {
	return "set local " + c.pool.setting + " = " + pgtext.Literal(c.tenant)
}

// beginSQL returns the statement that begins a transaction.
func beginSQL(o pgx.TxOptions) string {
	words := []string{"begin"}
	if o.IsoLevel != "" {
		words = append(words, "isolation level", string(o.IsoLevel))
	}
	for _, mode := range []string{string(o.AccessMode), string(o.DeferrableMode)} {
		if mode != "" {
			words = append(words, mode)
		}
	}
	return strings.Join(words, " ")
}

// enter begins a transaction for what is to come, which end ends, and names the
// tenant in it. If a transaction is open already it does only the latter.
func (c *Conn) enter(ctx context.Context) (end func(error) error, err error) {
	conn := c.session.conn
	if conn.PgConn().TxStatus() != 'I' {
		_, err := conn.Exec(ctx, c.setLocal())
		return func(err error) error { return err }, err
	}
	tx, err := c.beginBound(ctx, pgx.TxOptions{})
	return func(err error) error {
		if err != nil {
			tx.Rollback(ctx)
			return err
		}
		return tx.Commit(ctx)
	}, err
}

// copyBound is CopyFrom in a transaction of its own.
func (c *Conn) copyBound(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	end, err := c.enter(ctx)
	if err != nil {
		return 0, err
	}
	n, err := c.session.conn.CopyFrom(ctx, table, columns, src)
	return n, end(err)
}

// boundResults are those of a batch without that of the statement which named
// the tenant.
type boundResults struct {
	pgx.BatchResults
	until int // how many come before it; less than 0 after it
}

// skip reads the result that is not the caller's if it is next.
func (b *boundResults) skip() error {
	b.until--
	if b.until != -1 {
		return nil
	}
	_, err := b.BatchResults.Exec()
	return err
}

func (b *boundResults) Exec() (pgconn.CommandTag, error) {
	if err := b.skip(); err != nil {
		return pgconn.CommandTag{}, err
	}
	return b.BatchResults.Exec()
}

func (b *boundResults) Query() (pgx.Rows, error) {
	b.skip() // its error is that of Query
	return b.BatchResults.Query()
}

func (b *boundResults) QueryRow() pgx.Row {
	b.skip()
	return b.BatchResults.QueryRow()
}

// boundRows are those of a transaction that ends with them.
type boundRows struct {
	pgx.Rows
	end   func(error) error // is told of the error so far
	ended bool
	err   error // of the end
}

func (r *boundRows) Close() {
	r.Rows.Close()
	if r.ended {
		return
	}
	r.ended = true
	if err := r.end(r.Rows.Err()); r.Rows.Err() == nil {
		r.err = err
	}
}

func (r *boundRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

func (r *boundRows) Next() bool {
	more := r.Rows.Next()
	if !more {
		r.Close()
	}
	return more
}

func (r *boundRows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close()
	}
	return err
}

func (r *boundRows) Values() ([]any, error) {
	values, err := r.Rows.Values()
	if err != nil {
		r.Close()
	}
	return values, err
}

// boundRow is that of a transaction that ends with it.
type boundRow struct {
	pgx.Row
	end func(error) error
}

func (r *boundRow) Scan(dest ...any) (err error) {
	scanned := false
	defer func() {
		if !scanned { // a Scanner has panicked
			r.end(errScan)
		}
	}()
	err = r.Row.Scan(dest...)
	scanned = true
	if fault := r.end(err); err == nil {
		err = fault
	}
	return err
}

var errScan = errors.New("pgxfair: panic in Scan")

// bindable returns an error if the name of a tenant cannot be the value of a
// setting.
func (p *Pool) bindable(tenant string) error {
	if p.config.TenantSetting == "" {
		return nil
	}
	what := ""
	switch {
	case strings.IndexByte(tenant, 0) >= 0:
		what = "contains a NUL byte, which PostgreSQL has no text for"
	case !utf8.ValidString(tenant):
		what = "is not valid UTF-8"
	default:
		return nil
	}
	return fmt.Errorf("pgxfair: set %s: the name of tenant %s %s", p.config.TenantSetting, quote(tenant), what)
}
