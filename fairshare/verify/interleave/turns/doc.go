// Package turns runs a program in every order in which its goroutines may take
// turns. Each becomes a coroutine that stops before everything that another
// may notice: each use of a lock, an atomic variable or a signal. Which of
// them goes on then is a choice, and Explore tries one after the other.
//
// ExploreNarrowly tries only those near to one of them, for programs of many
// goroutines.
//
// What follows the same choices has to do the same. So the program may look at
// no clock but that of this package, and depend on no order of a map.
package turns
