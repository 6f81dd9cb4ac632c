// Package otelfair shows pools and semaphores to OpenTelemetry.
//
// # Metrics
//
// Observe reports the totals when a reader collects, and does nothing in
// between. All carry the attribute fairpool.pool. With TopTenants, those
// tenants that use most are reported by name as fairpool.tenant, and all others
// together as "other": beyond a limit, which is 2,000 by default, the SDK would
// fold all series into one. A tenant keeps its series for some time, and counts
// on when it gets them back. A name that is empty, no UTF-8, or "other" itself
// is quoted as in Go, and a long one cut, so that no two tenants share one.
//
// Histograms need to see each event, so they come from Trace. That of the builds
// is off the path of Acquire and Release. That of the waits has the requests that
// were not served at once, also those that failed, and costs the others nothing:
// how many these are is what is left of fairpool.acquired. With EachAcquire it has
// them all, and each Acquire pays for that; so does each Release for the histogram
// of the Holds.
//
// For pools of database connections, Database has what there are semantic
// conventions for be reported by them, as db.client.connection.*, instead of by
// names of our own.
//
// # Spans
//
// With Spans, Trace makes a span within that of the caller, if it is recorded, of
// the wait of an Acquire that is not served at once, and of the Check and Prepare
// of the resource. Builds, destructions and revocations happen in the background
// and are traces of their own.
//
// With EachAcquire there is a span of each Acquire instead of the waits, around
// the Check and Prepare, and a revocation, or a lease that lasts too long, is an
// event in the span of the caller that has acquired the resource too.
package otelfair
