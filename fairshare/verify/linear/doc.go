// Package linear checks that a fairshare.Semaphore is linearizable: goroutines
// use one at the same time, and whatever they were answered has to be what a
// counter would have answered, had it been asked the same one by one, each
// question between the call and the return. Its tests are all there is to it.
//
// The search for such an order is github.com/anishathalye/porcupine.
package linear
