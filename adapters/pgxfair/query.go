package pgxfair

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Exec acquires a connection, executes the statement on it and releases it.
func (q *queries) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	c, err := q.Acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer c.Release()
	return c.Exec(ctx, sql, arguments...)
}

// Query acquires a connection and runs a query on it. The connection is released
// when the rows are closed, which happens by itself when all are read or one
// cannot be. In case of an error the rows are not nil and have it too.
func (q *queries) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c, err := q.Acquire(ctx)
	if err != nil {
		return noRows{err: err}, err
	}
	kept := false
	defer c.releaseUnless(&kept)
	r, err := c.Query(ctx, sql, args...)
	if err != nil {
		return noRows{err: err}, err
	}
	kept = true
	return &rows{r, c}, nil
}

// QueryRow acquires a connection and runs a query on it for its first row. The
// connection is released, and errors are returned, by the Scan of the row.
func (q *queries) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	c, err := q.Acquire(ctx)
	if err != nil {
		return noRows{err: err}
	}
	kept := false
	defer c.releaseUnless(&kept)
	r := c.QueryRow(ctx, sql, args...)
	kept = true
	return &row{r, c}
}

// SendBatch acquires a connection and sends the batch on it. The connection is
// released when the results are closed, or, if the batch has begun a transaction,
// with the end of that.
func (q *queries) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	c, err := q.Acquire(ctx)
	if err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	kept := false
	defer c.releaseUnless(&kept)
	results := c.SendBatch(ctx, b)
	kept = true
	owner := &batchResults{BatchResults: results, conn: c}
	if t := results.Tx(); t != nil {
		owner.tx = &Tx{t, c}
	}
	return owner
}

// Begin is BeginTx with the default options.
func (q *queries) Begin(ctx context.Context) (pgx.Tx, error) { return q.BeginTx(ctx, pgx.TxOptions{}) }

// BeginTx acquires a connection and begins a transaction on it, which is a *Tx.
// ctx is for that only: its end later on does not end the transaction. The
// connection is released by Commit or Rollback, one of which must be called.
func (q *queries) BeginTx(ctx context.Context, txOptions pgx.TxOptions) (pgx.Tx, error) {
	c, err := q.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	kept := false
	defer c.releaseUnless(&kept)
	t, err := c.BeginTx(ctx, txOptions)
	if err != nil {
		return nil, err
	}
	kept = true
	return &Tx{t, c}, nil
}

// CopyFrom acquires a connection, copies the rows into the table with it and
// releases it. It returns the number of rows copied.
func (q *queries) CopyFrom(ctx context.Context, tableName pgx.Identifier, columnNames []string, rowSrc pgx.CopyFromSource) (int64, error) {
	c, err := q.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Release()
	return c.CopyFrom(ctx, tableName, columnNames, rowSrc)
}

// Ping acquires a connection and executes an empty statement on it.
func (q *queries) Ping(ctx context.Context) error {
	c, err := q.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	return c.Ping(ctx)
}
