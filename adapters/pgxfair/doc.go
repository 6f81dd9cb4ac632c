// Package pgxfair is a pool of PostgreSQL connections like pgxpool, shared
// fairly among tenants, so that none can starve another.
//
// It takes the connection strings and the Config of pgxpool and has its methods:
// a program changes pgxpool.New to pgxfair.New and says who its tenants are, by
// fairshare.WithTenant where it handles a request, or by a handle:
//
//	db, err := pgxfair.New(ctx, os.Getenv("DATABASE_URL"))
//	...
//	rows, err := db.Query(fairshare.WithTenant(ctx, "acme"), "select ...")
//	tag, err := db.Tenant("acme").Exec(ctx, "update ...")
//
// Pool, Tenant, Conn and pgx.Tx are what sqlc calls a DBTX. A connection is the
// tenant's until the end of what it was acquired for: Exec returns, the Rows or
// the results of a batch are closed, a Row is scanned, a transaction committed or
// rolled back. Config.Guard reports those that never are.
//
// # Between two tenants
//
// A connection that is returned broken, in a transaction or with results unread is
// closed. With Config.TenantSetting the session knows the tenant, for row-level
// security: it is set on every hand-out, on a new connection as on a used one, or
// else the connection is closed and not handed out; and wiped on return, unless
// the next one who waits has it set to theirs at once. A tenant that can run SQL
// of its own can of course set it itself. Config.ResetSession restores the rest of
// the session.
//
// Behind a connection pooler such as PgBouncer a session may serve somebody else
// at any time. So a connection to one is refused, see ErrPooler, unless
// Config.TenantBinding is BindTransaction, which sets the tenant in each
// transaction, or BindPooledSession.
//
// # When the server fails
//
// An error with the SQLSTATE 57P02 or 57P03 on any connection, or a connection
// that is refused, tells that the server has crashed or cannot be reached: then
// all connections that are open are replaced, the idle ones at once and the others
// on return, by the first one that notices. 57P01 tells that a connection was shut
// down: the others are pinged before their next use, and replaced if it is not the
// only one within 200 ms. Those that one tenant holds count as one: a tenant
// that ends its own backends costs the others a ping.
//
// A connection that was idle for a second is pinged before it is handed out, and
// so is each one that was open when another was returned closed, for whatever
// reason. One that does not answer within PingTimeout is closed; after a loss a
// caller looks for another one meanwhile. ShouldPing decides otherwise.
//
// A connection that is closed holds its place for a second at most. If the server
// has not confirmed its end by then, it may have more than MaxConns of them for a
// while.
package pgxfair
