// Package adaptfair finds out how many calls a server, an API or a database bears at
// once, and resizes a fair queue in front of it to that. The queue stays as fair as
// it is: the limit sees only the calls that run, and those that wait are served by
// package fairshare, each tenant in its own queue.
//
// A Gate is a semaphore or pool that does this by itself. For a pool whose resources
// are made elsewhere, such as connections of pgxfair or sqlfair, a Limiter has a Trace
// for the configuration of the pool, and Drive for the pool.
//
// # The law
//
// Let R(n) be how long a call takes if n run at once, and there are always n. While the
// protected side has room, R does not depend on n. Beyond the knee, calls wait inside,
// and R grows in proportion to n: the throughput n/R(n) stays the same (Little's law).
// The limit is to be at the knee.
//
// R at one n does not tell where the knee is: it doubles when calls wait as well as when
// the work takes twice as long. So from time to time another n is tried for a moment, in
// turn above and below the limit, and R compared. If R(low) = R(high), nothing waits at
// either, and the knee is not below high. If R is in proportion, what the higher n has
// more only waits, and the knee is not above low. In between, the knee is at
// high R(low)/R(high). This is the gradient of Vegas (Brakmo and Peterson, 1995), of
// Netflix's concurrency-limits and of Envoy's adaptive concurrency filter, but against a
// level measured at the same time, and not against the least time ever seen, which a
// change of the work makes wrong. BBR (Cardwell et al., 2016) lowers its rate for a
// moment for the same reason.
//
//   - A reading begins when what was in flight before has ended. It counts so many
//     calls that the two levels can be told apart, given how much the calls differ.
//   - The limit is read before and after a trial. If the two do not agree, something
//     else has changed, and the trial says nothing.
//   - The step is a quarter of the limit, and a trial lasts a quarter as long as the rest
//     after it, or less. Until the limit has been found, and while it goes up again and
//     again, the step is a factor of two.
//   - Calls that were refused or failed use up slots, but count as none: R is the slot-time
//     for each call that was served. So a limit beyond which calls are refused is found
//     in the same way.
//   - While the load does not fill the level, nothing changes: what nobody uses proves
//     nothing. Only a first guess that was never filled, and is used by half at least,
//     comes down to what is used, so that it is filled.
//   - A call counts as twenty mean ones at most, so that one that takes very long is no
//     sign of a queue.
//
// The law of failsafe-go's adaptivelimiter was tried first, joined to the same queue. It
// compares R with a moving average of R, which follows R. From 100 on a backend that
// bears 8 it stood at 69 to 100 after a minute, and after the work took half as long it
// went down to 1, with a seventh of the throughput.
//
// # Concurrency
//
// All methods may be called from any goroutine. A Limiter has no goroutine and no timer.
package adaptfair
