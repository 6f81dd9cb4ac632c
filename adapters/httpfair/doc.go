// Package httpfair shares an HTTP server, or the places at an HTTP API, fairly
// among tenants: one that floods waits in its own queue.
//
// # Servers
//
// Middleware has each request wait for a slot before it is handled, and holds the
// slot until the handler returns. Who is next, package fairshare decides; who the
// tenant is, a TenantFunc. The context of the request carries the tenant
// downstream, to a database pool or a Transport, and the slot itself, see Granted.
//
// What does not get a slot is answered at once:
//
//	the tenant's own queue is full, or it is at its cap   429 and Retry-After
//	the queue of all tenants is full, the wait would be
//	or was too long (RejectLate, AcquireTimeout, the
//	deadline of the request)                              503 and Retry-After
//	no tenant, and the slots have RequireTenant           403
//	closed, a pool that cannot build its resource         503 and Retry-After
//
// Retry-After is how long one more request of the tenant would wait, as the slots
// estimate it, see fairshare.AcquireError; up to half as long again is added at
// random, so that clients sent away together do not come back together. It is
// rounded up to whole seconds. Where nobody can tell it is one second.
//
// The ResponseWriter is the server's own: flushing, hijacking and what else
// http.ResponseController does work as without. The slot of a hijacked connection
// goes back when the handler returns, not when the connection ends.
//
// A handler that panics gives its slot back and the panic goes on, that of
// http.ErrAbortHandler too; the resource of a lease is destroyed then, as by
// pool.Pool.Do.
//
// # Clients that hang up
//
// Whoever hangs up while queued leaves the queue, as far as the server notices.
// Over HTTP/1 it does so only once the body of the request has been read to its
// end. So the first 64 KiB of a body are read while the request waits, see
// Options.ReadAhead.
//
// # Many tenants on one connection
//
// A server of HTTP/2 allows 250 requests at once on a connection, see
// http.HTTP2Config.MaxConcurrentStreams. A proxy that keeps all tenants on one
// connection has further requests wait in a queue of its own, which knows no
// tenants. Have it open more connections, as the client of net/http does by itself,
// or give it a Transport with fewer slots than that.
//
// # Clients of an API
//
// A Transport holds a slot for each request from when it is sent until the body
// of the response is read to its end or closed. If the API answers 429 or 503,
// nothing is sent until Retry-After, and the number of slots shrinks to what the API
// bears, as far as its answers tell: to as many requests as it did not refuse of those
// in flight, or, if it bore as many before, to 0.7 of them. The number grows again,
// step by step, as long as requests succeed; a step that is refused is taken back.
// Responses that are dropped
// without being closed are noticed.
package httpfair
