// Package promfair shows pools and semaphores to Prometheus.
//
// # What costs nothing, and what does not
//
// A Collector reads Stats, and with TopTenants Tenants, when it is scraped;
// between scrapes it does nothing. That has histograms of the waits in the
// queue, fairpool_queue_wait_seconds, and of the holds that somebody waited for,
// fairpool_timed_hold_seconds, which a pool keeps anyhow. They are classic ones,
// twice as wide from bucket to bucket.
//
// Times are native histograms, which need to see each event: they are told by a
// pool.Trace. That of the builds is off the path of Acquire and Release. That of
// the waits, fairpool_wait_duration_seconds, has the requests that were not
// served at once, also those that failed, and costs the others nothing. How many
// were served at once is what is left of fairpool_acquired_total. With
// EachAcquire it has them all, and each Acquire pays for that; so does each
// Release for the histogram of the Holds.
//
// # Names
//
// All begin with fairpool_ and carry the label pool, which is the name that the
// options give. Those of tenants begin with fairpool_tenant_. What a semaphore
// has not, resources, is left out for one. To add labels or a prefix, register
// through prometheus.WrapRegistererWith.
//
// # Tenants
//
// There may be many of them, and they choose their names. With TopTenants that
// many have series of their own, those that use most; the label tenant of all
// others is "other". A tenant keeps its series for some time, so that not many
// come to be, and they count on when it gets them back. Summed over all
// tenants, nothing is missing and nothing is counted twice. A name that is
// empty, no UTF-8, or "other" itself is quoted as in Go, and a long one cut, so
// that each label is valid and no two tenants have the same.
package promfair
