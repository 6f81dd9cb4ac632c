// Package leaders gives the figures of many tenants to systems that bear only
// few series. The tenants that use a pool most have a row of their own; all the
// others are summed up in one.
//
// # What stays the same
//
// The counters of a row never fall, and all rows together have counted each
// event once, whatever tenant has a row of its own at the time. Each look adds
// what a tenant has done since the last one: to its own row if it has one, else
// to that of the others. A tenant that loses its row and gets it back goes on
// where it stopped, as long as the pool remembers it.
//
// A row is kept for a while at least, so that the number of series that ever
// come to be is bounded too: the number of rows for each such while.
package leaders
