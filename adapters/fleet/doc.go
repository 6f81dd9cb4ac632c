// Package fleet shares one capacity among the processes of a fleet, and keeps
// the shares fair between tenants, wherever their requests land.
//
// Five to five hundred processes use one scarce thing: the connections of a
// database, browser tabs, calls to an API. In each, a Member drives a pool or a
// semaphore: it sets its capacity to what the process has been granted, and its
// shares to what the tenants are due in the whole fleet. The common state lives
// in an Engine that is there already, see packages redisfleet and pgfleet.
// Acquire and Release do not know about it: no call to the engine stands in
// their way.
//
// # Grants
//
// A process holds a grant: a number of slots, a token that only grows, and a
// deadline. It syncs once every Terms.Refresh, and at once when somebody waits
// whom the engine does not know of, or when it has slots to give back. With a
// sync it attests what it keeps, and tells what its tenants claim; the engine
// answers with what it is granted, and what it should have.
//
// What makes it safe:
//
//   - A slot is free for others once its process has attested that it has given
//     it up, never when it was asked to. Between a request and its reply the
//     process keeps to what it has attested.
//   - What is attested are the resources that exist, those idle, being built or
//     being destroyed included.
//   - The deadline of the process is Terms.TTL less Config.Margin from the
//     moment of sending, on its own monotonic clock; the engine counts from the
//     later moment of receiving, on its own. No time of day is compared.
//   - At the deadline the process hands out nothing more, revokes what is out
//     and destroys what it has. The engine keeps the slots back for
//     Terms.Quarantine after that. With a Fencer, it keeps them until the
//     sessions that a stopped process may have left were ended by somebody else.
//   - The engine's clock moves by 1.25 Terms.Refresh at most from step to step,
//     whatever the time of day does.
//   - An engine that may have forgotten something (it knows nothing, it is
//     another server than before, it is told of a grant that it has not given)
//     learns: it accepts what processes attest, and grants nothing, for TTL and
//     Quarantine.
//
// # Fairness
//
// The engine adds up what each tenant claims, finds the level at which the
// capacity is used up, and divides what a tenant is due among the processes in
// proportion to its claims in them. A process gets the sum as its target, and
// uses the quotas as weights. See plan.go for how fractions of slots are rounded
// so that neither a slot nor, in the long run, a fraction is lost.
//
// As long as there is enough for everybody, processes have some slots more than
// they need, so that few requests wait for a sync.
//
// # What is not promised
//
// The sum of what processes have is never above the capacity, with these
// exceptions:
//
//   - A process that is stopped (SIGSTOP, a frozen machine) for longer than TTL
//     and Quarantine still has what it had, when others get it. A Fencer ends
//     that, and what remains is what the process was opening at that moment.
//   - After it continues, it takes until a timer has run, less than a
//     millisecond as a rule, before it notices. Member.Err notices at once: a
//     Constructor that asks it first opens nothing in that time, and an
//     irreversible step under a slot may ask it too.
//   - Permits of a semaphore cannot be taken back. Quarantine has to be longer
//     than those who work under one take to stop.
//   - A capacity that is lowered takes effect as slots are given back.
//   - Config.AssumeFresh with an engine that has forgotten a fleet.
//   - An engine that two parties of processes reach as two different servers: a
//     Redis whose old primary goes on behind a partition, see package redisfleet.
//
// A process that dies costs the fleet its slots for TTL and Quarantine.
//
// # Concurrency
//
// All methods of Member may be called from any goroutine. State is not safe for
// concurrent use; an Engine has its steps happen one after the other.
package fleet
