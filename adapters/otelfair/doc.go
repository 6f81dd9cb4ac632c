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
// Histograms need to see each event, so they come from Trace. Those of the
// builds are off the path of Acquire and Release. Those of the waits and holds
// are not, and have to be asked for.
//
// For pools of database connections, Database has what there are semantic
// conventions for be reported by them, as db.client.connection.*, instead of by
// names of our own.
//
// # Spans
//
// With Spans, Trace makes a span of each Acquire, the wait, within which the
// Check and Prepare of the resource have theirs. There is none if the caller's
// span is not recorded. Builds, destructions and revocations happen in the
// background and are traces of their own. A revocation, and a lease that lasts
// too long, is an event in the span of the caller that acquired it too.
package otelfair
