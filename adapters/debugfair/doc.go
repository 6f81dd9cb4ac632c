// Package debugfair is a live page of pools and semaphores: who holds what, who
// waits, and whether it is fair, in a browser, as text or as JSON.
//
//	page := debugfair.Handler(debugfair.Pool{Name: "tabs", Source: tabs})
//	defer page.Close()
//	http.Handle("/debug/fairpool/", page)
//
// Importing the package registers nothing. The page needs nothing from
// elsewhere: what it shows in a browser is embedded, and speaks to nobody but
// its own handler.
//
// # What is seen
//
// Twice a second, and every two seconds while nobody looks, a goroutine of the
// page asks each pool for its Stats, Tenants and Holders, as anybody may: an
// Acquire pays nothing for being watched, but waits while a list of tenants is
// copied under the lock. If a sample takes long, the next is further away, so
// that looking takes at most a twentieth of the time.
//
// Ten minutes are kept, whether or not anybody looks: how many slots and
// waiters there were of each of the eight tenants with a colour, and of all
// others together, at each sample; and, every two seconds, what the page
// showed besides. A tenant keeps its colour while it matters. What a page keeps
// is bounded, however many tenants there are and whatever they are called.
//
// # Who may look
//
// The page tells the names of tenants and, where leases are guarded, stacks.
// Unless Config.Authorize says otherwise it answers requests only that come
// from the machine itself and call it by a name of that machine. It changes
// nothing in a pool.
//
// # Fairness
//
// The figure is Jain's index of the last minute, over what each tenant held
// compared with what it was entitled to (weighted max-min fairness, see
// fairshare.TenantStats), each tenant weighing what it was entitled to:
//
//	(sum h)^2 / (sum e * sum h^2/e)
//
// where h is what a tenant held and e what it was entitled to, in slot-seconds
// as sampled. It is 1 if all got the same part of what they were entitled to,
// and 1/n if of n alike one got everything.
package debugfair
