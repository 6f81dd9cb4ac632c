// Package grpcfair shares a gRPC server, or the places at a gRPC service, fairly
// among tenants: one that floods waits in its own queue.
//
// # Servers
//
// A ServerInterceptor has each call wait for a slot before it is handled, and
// holds the slot until the handler returns: that of a stream for as long as the
// stream lasts. Who is next, package fairshare decides; who the tenant is, a
// TenantFunc. The context of the call carries the tenant downstream, and the slot
// itself, see Granted. Health checks and reflection need no slot, see
// ServerOptions.Skip.
//
// # Streams that stay open
//
// A stream that stays open for hours holds a slot for hours. Give such streams slots
// of their own: a second ServerInterceptor with another gate, whose Stream is
// installed instead of that of the first. Calls never wait for streams then.
// Share.Max bounds the streams of one tenant, so that it cannot hold all slots. A
// server ends old streams by its keepalive parameters MaxConnectionAge and
// MaxConnectionAgeGrace; clients open them again and wait for their turn.
//
// A call that gets no slot fails at once:
//
//	the tenant's own queue is full, or it is at its cap   ResourceExhausted and RetryInfo
//	the queue of all tenants is full, the wait would be
//	or was too long (RejectLate, AcquireTimeout)          Unavailable and RetryInfo
//	no tenant, and the slots have RequireTenant           Unauthenticated
//	closed, a pool that cannot build its resource         Unavailable and RetryInfo
//	the call's own deadline, or cancelled                 DeadlineExceeded, Canceled
//
// RetryInfo is how long one more call of the tenant would wait, as the slots
// estimate it, see fairshare.AcquireError; up to half as long again is added at
// random. Where nobody can tell it is up to a second. The trailer grpc-retry-pushback-ms says the same
// to clients whose service config has a retry policy.
//
// A handler that panics gives its slot back and the panic goes on; the resource of
// a lease is destroyed then, as by pool.Pool.Do.
//
// # Clients
//
// A ClientInterceptor holds a slot for each call until it ends, whichever way: a
// stream ends when RecvMsg, Header or SendMsg fails, RecvMsg having returned
// io.EOF included, when the only answer of a client stream has been received, when
// its context ends or the connection is closed. Streams that are dropped before
// are noticed.
//
// If the service answers ResourceExhausted, or Unavailable with RetryInfo, the
// number of slots shrinks to as many calls as it did not refuse of those in flight,
// or, if it bore as many before, to 0.7 of them, and nothing is sent for as long as
// RetryInfo says. The number grows again, step by step, as long as calls succeed.
package grpcfair
