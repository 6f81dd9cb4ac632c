// Package fairshare shares a fixed number of slots among tenants, so that no
// tenant can starve another.
//
// A Semaphore is used like any other, with a tenant's name:
//
//	permit, err := sem.Acquire(ctx, "tenant-1")
//	if err != nil {
//		return err // an *AcquireError that says why
//	}
//	defer permit.Release()
//
// By default it is work-conserving: while only one tenant asks it may have all
// the slots; as others come, each slot that is released goes to the tenant
// that has had least, weights considered, counting what it holds now. Package
// sched derives the rule. With a ShareFunc the shares are strict instead, as
// in aio-fairshare: no tenant holds more than its share even while slots are
// free.
//
// A released slot wakes the next waiter; nothing polls. There is no goroutine
// and no timer for a waiter beside its own, and cancelling one of n waiters
// costs O(log n).
//
// # Concurrency
//
// All methods of Semaphore, Tenant and Permit may be called from any
// goroutine. One mutex guards a semaphore; ShareFunc, the only code of the
// user that it calls, runs outside it.
package fairshare
