// Package sqlfair makes a *sql.DB fair to its tenants, whatever the driver.
//
// Open returns an ordinary *sql.DB for a driver.Connector, beside the pool that
// the connections really come from. Everything that takes a *sql.DB works on it
// unchanged. On whose behalf a query runs, its context tells:
//
//	db, pool, err := sqlfair.Open(connector, sqlfair.Config{MaxOpenConns: 16})
//	...
//	ctx = fairshare.WithTenant(ctx, "tenant-1")
//	rows, err := db.QueryContext(ctx, "SELECT ...")
//
// # How it works
//
// A *sql.DB without a limit and without idle connections asks its connector for
// a connection, with the caller's context, whenever it needs one, and closes it
// when the caller is done. Here, opening one takes a lease from the pool, which
// is where callers wait, and closing it returns the lease. So a lease lasts as
// long as database/sql keeps a connection: for one Exec or Ping, or until the
// Rows, the Tx or the Conn is closed. Whoever asks for another meanwhile may wait
// for itself, as with any limit; a deadline or Sharing.AcquireTimeout ends that.
//
// The driver's own statements, transactions and rows are passed through as they
// are. Its connection is wrapped in a type that has ExecerContext,
// QueryerContext and SessionResetter exactly if the driver gives reason to, and
// answers for the other optional interfaces as database/sql would without them.
// Conn.Raw gets the wrapper; Unwrap leads to the driver's connection.
//
// # One lease, one tenant
//
// The wrapper never lets database/sql use a connection twice, whatever
// SetMaxIdleConns says, and refuses a context that carries the name of another
// tenant. SetMaxOpenConns must not be called: then database/sql lets callers
// wait in a line of its own and opens connections on behalf of nobody. From that
// moment every query fails with ErrMaxOpenConns. Pool.Resize is what to call.
// SetConnMaxLifetime and SetConnMaxIdleTime have no effect; Config.Age has.
//
// Statements prepared on the DB itself are prepared again for each use, unless
// Config.PreparedStatements has the connections remember them.
//
// # Connection poolers
//
// A pooler between the program and a PostgreSQL server, such as PgBouncer, may run
// each transaction in another session. PostgresTenant, which names the tenant to
// the session, refuses connections to one, see ErrPooler. PostgresTenantBound with
// BindTransaction names it to each transaction.
//
// # Broken connections
//
// Before a connection is handed out that was used before, its SessionResetter
// is called; if that fails the connection is closed and the caller gets another.
// A connection is closed too where database/sql would not have kept it: after
// driver.ErrBadConn, if its Validator says so, after a transaction that the end
// of its context has rolled back, unless the driver can reset that. When a
// driver reports ErrBadConn every other connection is pinged once before its
// next use: a server that restarts breaks them all, and database/sql tries a
// query three times at most.
//
// # Concurrency
//
// Everything here may be called from any goroutine. A connection is used by one
// goroutine at a time, as database/sql has it; not even Pool.Revoke closes it
// under its user.
package sqlfair
