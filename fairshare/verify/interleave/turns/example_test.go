package turns_test

import (
	"fmt"
	"strings"

	"github.com/fairpool/fairpool/fairshare/verify/interleave/turns"
	"github.com/fairpool/fairpool/fairshare/verify/interleave/turns/atomic"
)

// Two goroutines add one, each in two steps. One interruption is enough.
func ExampleExplore() {
	o := turns.Explore(1, func() func() string {
		var sum atomic.Uint64
		for _, name := range []string{"a", "b"} {
			turns.Go(name, func() { sum.Store(sum.Load() + 1) })
		}
		return func() string {
			if sum.Load() != 2 {
				return fmt.Sprint("1 + 1 is ", sum.Load())
			}
			return ""
		}
	})
	fmt.Println(o.Wrong)
	for _, step := range o.Trace {
		step, _, _ = strings.Cut(step, " (") // where in the source
		fmt.Println(step)
	}
	// Output:
	// 1 + 1 is 1
	// a: starts
	// a: loads
	// b: starts
	// b: loads
	// b: stores
	// a: stores
}

// A Signal wakes who waits for it.
func ExampleSignal() {
	o := turns.Explore(2, func() func() string {
		s := turns.NewSignal()
		turns.Go("waiter", s.Receive)
		turns.Go("teller", s.Send)
		return func() string { return "" }
	})
	fmt.Printf("%q in %d runs\n", o.Wrong, o.Runs)
	// Output:
	// "" in 3 runs
}
