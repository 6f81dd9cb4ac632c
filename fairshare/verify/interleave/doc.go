// Package interleave runs the code of a fairshare.Semaphore, and of a pool.Pool,
// in every order in which its goroutines may take turns, up to a number of
// interruptions. Its tests are all there is to it: they build command explore
// with the source of packages fairshare and pool as it is, except that package
// turns stands for their locks, atomic variables, channels and timers, and for
// puddle.
package interleave
