// Package gate is what the adapters for servers have in common, whatever the
// protocol: asking for a slot on behalf of a call, and, if there is none,
// saying whose fault that is and when to come again.
//
// # When to come again
//
// Within a tenant, requests are served first in, first out. So the time for
// which requests are at the head of their tenant's queue is the pace at which
// that queue drains: it contains the tenant's share, its weight, its cap and how
// long its requests take, without knowing any of them. A Door keeps a moving
// average of that time for each tenant. Whoever is turned away with n requests
// of the same tenant waiting is told to come again when they, and one more, would
// have been served at that pace.
package gate
