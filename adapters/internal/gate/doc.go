// Package gate is what the adapters for servers have in common, whatever the
// protocol: asking for a slot on behalf of a call, and, if there is none,
// saying whose fault that is and when to come again.
//
// # When to come again
//
// The gate itself estimates how long one more request of the tenant would wait, see
// fairshare.AcquireError. Up to half as long again is added at random. Where nobody
// can tell, because no slot was released yet or none are handed out, the answer is
// as long as the caller has waited already, or within a second.
package gate
