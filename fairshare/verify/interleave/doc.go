// Package interleave runs the code of a fairshare.Semaphore in every order in
// which its goroutines may take turns, up to a number of interruptions. Its
// tests are all there is to it: they build command explore with the source of
// package fairshare as it is, except that package turns stands for its locks,
// atomic variables and channels.
package interleave
