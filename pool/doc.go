// Package pool owns resources, such as browser tabs, database connections or
// places at an API, and leases them to tenants so that no tenant can starve
// another.
//
// # The life of a resource
//
// A pool has capacity for a number of slots. A slot is warm, which is to say it
// holds a live resource; or a build is under way for it; or it is cold, which
// is only room. Only warm slots are handed out, and the lease of a slot is
// permit and resource in one: there is nothing to keep in step.
//
//	        build                  Check, Prepare
//	cold -----------> warm (idle) ----------------> leased
//	 ^                |  ^  |  ^                      |
//	 |      KeepAlive |  |  |  |         Reset        |
//	 |       a Check  +--+  |  +----------------------+
//	 |                      |                         |
//	 |      idle too long,  |       Destroy, revoked, |
//	 |      too old, unfit  v           lost, unfit   v
//	 +-------------------- dying <--------------------+
//	  Destructor returned
//
// Who waits, and who is next, package fairshare decides. A released slot goes
// straight to the next waiter; with nobody waiting it is kept warm, and handed
// out again, the most recently used first.
//
// A build starts when more waiters could use a slot than are being built, and
// there is room. It belongs to nobody: the resource goes to whoever is next
// when it is ready, and a waiter takes what comes first, a new resource or a
// released one. Four builds run at once at first, and one more with each that
// succeeds, unless MaxConcurrentBuilds says how many.
//
// # Outages
//
// After a build has failed, others are tried one at a time, with a pause between
// them: 50 ms at first and one second at most, see Backoff. The first success,
// and a call of Reset, ResetGradually, Resize or Resume, ends that.
//
// While a resource is alive, callers wait for it: they learn of the failure from
// Stats and Logger, and from the error of a wait that ends in vain anyway. If
// none is alive, everybody who waits gets the error of the build. If the next
// one fails too, that is an outage: an Acquire fails at once with the last error,
// unless a build is under way that may end the outage. Whoever was refused may
// come again, so a build is tried at the end of the pause even if nobody waits.
// Backoff.Wait has callers wait instead. A resource that will be replaced when its
// lease ends does not count as alive, nor does one that is dedicated to another
// tenant; an AcquireN needs as many as it asks for.
//
// A build that takes four times as long as others before it, and at least
// Backoff.Max, may hang: another may start beside it. One that outlasts
// BuildTimeout has failed; if it does not return it keeps its place, is reported,
// and what it builds is destroyed.
//
// When a Check or a Prepare finds a resource broken that was not new, all that
// are idle are in doubt: up to 32 of them are checked at once, and none is handed
// out unchecked. An Acquire that two resources could not be prepared for gets a
// new one for its third and last try, if that is built soon. If it fails too, the
// tenant is refused for a while, by the same Backoff, and nobody else is.
//
// An error of a Constructor or a hook never looks like the end of the caller's
// context: errors.Is finds neither context.DeadlineExceeded nor context.Canceled
// in it. If its own timeout was up it is ErrBuildTimeout or ErrHookTimeout.
//
// With ten clients that retry at once beside a pgxpool, on a PostgreSQL 15 on the
// same machine (adapters/faults has these and more):
//
//	                              first success after   longest call   connections tried
//	down for 12 s     pgxpool                   0.04 s         0.17 s              19,497
//	                  pgxfair                   0.58 s         0.12 s                  13
//	                  sqlfair                   0.30 s         0.16 s                  13
//	paused for 5 s    pgxpool                   0.26 s         1.02 s                  13
//	                  pgxfair                   0.17 s         1.01 s                  16
//	no connection     pgxpool                   0.03 s         0.19 s                 921
//	free for 4 s      pgxfair                   0.26 s         0.20 s                  25
//	                  sqlfair                   0.85 s         0.25 s                  24
//
// # Charges
//
// A tenant is charged for a slot from the grant until the slot is of use to
// others again: while its resource is prepared, leased and reset, and, if the
// tenant has wrecked it (Destroy, a failed Prepare or Reset, a revocation that
// was not heeded), until it is destroyed and, where somebody waits for the
// place, built again; so it is for the successor of what it hijacks. What a Check
// finds broken after it was idle, and what is replaced for its age, nobody is
// charged for.
//
// A tenant that breaks a resource may return it and leave it to the next to find
// out; and one that calls a resource broken may do so to harm the tenant that had
// it before. The pool cannot see which. So where a resource that another tenant
// had before fails its Prepare, or is destroyed within a tenth of the mean lease,
// the pool looks at what happened to the two lately: how often what the one left
// turned out to be broken, and how often the other said so of what it took. The one
// to which it happens more often pays; if it is the same, they pay by turns. With
// two slots, builds of 900 ms, and four tenants with jobs of 100 ms, one of which
// breaks what it uses:
//
//	                                useful slots of that one   of each other
//	it destroys what it broke                          0.050           0.500
//	it returns it, and others find out                 0.050           0.499
//	the same, if the finder paid                       0.141           0.196
//	it breaks nothing, but calls all broken            0.000           0.500
//
// # Reclaim
//
// With Reclaim.After a lease is asked back for a tenant that holds less than its
// share, and has waited for that long, from one that holds more, but never from a
// tenant that would be served first. Three cases differ:
//
//   - A tenant with a slot or more above its share gives its youngest lease, once
//     that has lasted for After.
//   - Where shares are not whole numbers, somebody has the odd slot. It is asked
//     back for a tenant that has none, from one that was charged more.
//   - Where tenants outnumber slots, a tenant may have to give its only lease. What
//     it was doing is lost. So each time its next leases are left alone for twice
//     as long, and only a tenant that has waited for as long is helped. When work
//     is done that took as long, and those who waited for the same tenant have had
//     their turn too, the time is halved again.
//
// So everybody finishes what it began, and names decide nothing. A job of length J
// of a tenant with w workers and a share of f slots, at most one, takes no more than
// (2w+4) J / f, J being After at least, and six times the longest job of anybody for
// each tenant that there is to a slot; in random set-ups it took 0.8 of that at most. With After of 5 s and Grace of 1 s, in six hours:
//
//	slots  tenants, jobs                       finished, each   revocations an hour
//	    2  3, one of 20 s                          506 to 509                   191
//	    1  2, one of 20 s                                 360                   120
//	    2  20, one of 20 s                           60 to 61                   206
//	    8  10, two of 4 s                        4319 to 4320                     0
//	    8  10, two of 8 s                        2157 to 2159                     3
//	    8  10, two of 20 s                         664 to 835                   450
//	    4  6, three of 4 s; 1, one of 60 s    3084 to 3085; 140                    24
//
// Slot-time is equal within 2% in all of them; where jobs of one length run in step,
// some tenants are cut off more often than others. Without Reclaim, three tenants on two slots would finish 720 jobs of 20 s each: the
// rest is work that was cut off. Who runs work longer than After on fewer slots than
// tenants pays that for a shorter wait.
//
// # Options
//
// All options are off, or harmless, by default.
//
//   - Sizes: how many resources are kept warm, and how many builds run at once.
//   - Age: how long resources last; replaced one by one rather than together.
//   - Health: how broken ones are found before a tenant meets them.
//   - Tenancy: what happens between two tenants, and whether they may share.
//   - Guard: leaked and lost leases, callers that wait for themselves.
//   - Reclaim: taking back what is held beyond a share.
//   - Trace and Logger: seeing it.
//
// A cycle of Acquire and Release takes 54 ns with all of them off, and Do, which
// makes a context, 285 ns (go1.26, an AMD EPYC of two cores that had nothing
// else to do), for a ctx that carries the tenant; else it makes an allocation more. What each adds to the cycle of a caller that nobody disturbs:
//
//	Sizes.MinIdle, MaxIdle, Age.MaxUses                  10 to 14 ns
//	Age.MaxIdleTime, Age.MaxLifetime, Reclaim            64 ns: the clock, once for all
//	Health.Check of a resource that is trusted          105 ns
//	Health.Check when it is called                      2.1 us and the Check
//	Tenancy.Prepare                                     2.1 us and the Prepare
//	Tenancy.Prepare, with PrepareInline                 1.4 us and the Prepare
//	Tenancy.Reset                                       1.2 us and the Reset, of a processor
//	Tenancy.Isolation: Dedicated                          0 ns
//	Guard.LeakAfter, Guard.DetectLost                   0.9 and 1.1 us: the stack
//	Guard.ForbidNested, Logger                           16 ns
//	Guard.ForbidNested, for the ctx of a holder         132 ns
//	Trace.AcquireDone, Trace.Release                     66 ns: the clock, twice
//	Trace.WaitStart, WaitDone                             0 ns, unless it waits
//	Sharing.AcquireTimeout, RejectLate, MaxWaiting        0 ns
//	Sharing.ShareFunc                                     5 ns
//	BuildTimeout, DestroyTimeout, MaxConcurrentBuilds,
//	KeepAlive, MarkBad and the rest of Trace              0 ns: not on that path
//
// They do not simply add up. Check, Prepare and Reset run in goroutines of their
// own, which is most of what they cost if they do nothing else.
// "go run ./pool/benchmarks" measures it all again.
//
// # Invariants
//
// The tests of this package, of fairshare and of sched cite them by number.
//
//  1. Live, building and dying resources never exceed MaxSize; slots granted
//     never exceed the capacity in force at the grant.
//  2. A resource has at most one lease.
//  3. Nothing is lost: after any mix of cancels, panics, failed builds,
//     destroys, hijacks and resizes, all capacity comes back.
//  4. No wake-up is lost: unless shares are strict, there is never a free slot,
//     or room to build, while somebody waits who may have it.
//  5. The bound on unfairness that package sched derives holds for every two
//     tenants that stay backlogged.
//  6. Every waiter is served within the bound on starvation, as long as leases
//     return.
//  7. A grant that races a cancel is either used by the caller or passed on,
//     and charged once.
//  8. A stale lease cannot affect a later one.
//  9. No code of the user runs under a lock; no goroutine is left after Close;
//     a waiter has no timer.
//  10. Close wakes every waiter at once.
//  15. A request of several slots holds nothing while it waits, waits a bounded
//     time, and keeps nobody else waiting for longer than the bound in package
//     sched.
//
// # Concurrency
//
// All methods of Pool, Tenant and Lease may be called from any goroutine, from
// hooks too. One mutex guards the pool. Constructors, destructors and hooks run
// outside it, where a panic becomes an error or is logged, and in goroutines of
// their own; only a Prepare with PrepareInline, and those of Trace that are about
// an Acquire, a wait or a Release, run in the caller's. Every resource is
// registered with a puddle.Pool from birth to death; its ceiling of MaxSize
// holds whatever else happens. Releasing and acquiring do not touch it.
package pool
