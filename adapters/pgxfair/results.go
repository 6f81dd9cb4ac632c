package pgxfair

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// noRows are the rows of a query that has failed.
type noRows struct{ err error }

func (noRows) Close()                                       {}
func (r noRows) Err() error                                 { return r.err }
func (noRows) CommandTag() pgconn.CommandTag                { return pgconn.CommandTag{} }
func (noRows) FieldDescriptions() []pgconn.FieldDescription { return nil }
func (noRows) Next() bool                                   { return false }
func (r noRows) Scan(...any) error                          { return r.err }
func (r noRows) Values() ([]any, error)                     { return nil, r.err }
func (noRows) RawValues() [][]byte                          { return nil }
func (noRows) Conn() *pgx.Conn                              { return nil }
func (noRows) TypeMap() *pgtype.Map                         { return nil }

// rows release the connection when they are closed.
type rows struct {
	pgx.Rows
	conn *Conn
}

func (r *rows) Close() {
	defer r.conn.Release()
	r.Rows.Close()
}

func (r *rows) Next() bool {
	more := r.Rows.Next()
	if !more {
		r.Close()
	}
	return more
}

func (r *rows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close()
	}
	return err
}

func (r *rows) Values() ([]any, error) {
	values, err := r.Rows.Values()
	if err != nil {
		r.Close()
	}
	return values, err
}

// row releases the connection when it is scanned.
type row struct {
	pgx.Row
	conn *Conn
}

func (r *row) Scan(dest ...any) error {
	defer r.conn.Release()
	return r.Row.Scan(dest...)
}

// batchResults release the connection when they are closed, unless a transaction
// that the batch has begun goes on.
type batchResults struct {
	pgx.BatchResults
	conn *Conn
	tx   *Tx // nil if the batch begins none
}

func (b *batchResults) Close() error {
	defer func() {
		if b.tx == nil || !b.conn.inTx() {
			b.conn.Release()
		}
	}()
	return b.BatchResults.Close()
}

func (b *batchResults) Tx() pgx.Tx {
	if b.tx == nil {
		return nil
	}
	return b.tx
}

// A Tx is a transaction with a connection of its own, until its end.
type Tx struct {
	pgx.Tx
	conn *Conn
}

// Commit commits the transaction and releases the connection. The errors are
// those of pgx.Tx: an error of a transaction that has ended is pgx.ErrTxClosed, of
// one that was rolled back instead pgx.ErrTxCommitRollback.
func (t *Tx) Commit(ctx context.Context) error {
	defer t.conn.Release()
	return t.Tx.Commit(ctx)
}

// Rollback rolls the transaction back and releases the connection. If it has
// ended already it returns pgx.ErrTxClosed, so that it may be deferred.
func (t *Tx) Rollback(ctx context.Context) error {
	defer t.conn.Release()
	return t.Tx.Rollback(ctx)
}
