package fairshare_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// Waiting has a limit of its own: the deadline of the request is about the work
// that follows.
func ExampleConfig_acquireTimeout() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{
		Capacity:       1,
		AcquireTimeout: 20 * time.Millisecond,
	})
	if err != nil {
		panic(err)
	}
	permit, _ := sem.TryAcquire("report")
	defer permit.Release()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err = sem.Acquire(ctx, "web")
	fmt.Println(errors.Is(err, fairshare.ErrAcquireTimeout), ctx.Err())
	var why *fairshare.AcquireError
	if errors.As(err, &why) {
		fmt.Println(why.Reason, why.Holders)
	}
	// Output:
	// true <nil>
	// all slots in use [{report 1}]
}

// Who would be served too late anyway is told so at once, and can go elsewhere
// while there is time.
func ExampleConfig_rejectLate() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1, RejectLate: true})
	if err != nil {
		panic(err)
	}
	// One after the other holds the slot for 20 ms. The first of these holds
	// that begins and ends while somebody waits tells how long they take.
	var permits = make(chan fairshare.Permit)
	work := func() {
		permit, err := sem.Acquire(context.Background(), "batch")
		if err != nil {
			panic(err)
		}
		time.Sleep(20 * time.Millisecond)
		permits <- permit
	}
	for range 10 {
		go work()
	}
	for sem.Stats().Waiting < 9 {
		time.Sleep(time.Millisecond)
	}
	for range 4 {
		(<-permits).Release()
	}

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = sem.Acquire(ctx, "batch")
	fmt.Println(errors.Is(err, fairshare.ErrLate), ctx.Err())
	var why *fairshare.AcquireError
	if errors.As(err, &why) {
		fmt.Println(why.Waited, why.Estimate > 50*time.Millisecond, why.Waiting)
	}
	for range 6 {
		(<-permits).Release()
	}
	// Output:
	// true <nil>
	// 0s true 5
}

// A pool or semaphore keeps count of how long its waits took, whether anybody
// looks or not.
func ExampleDurations() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	if err != nil {
		panic(err)
	}
	before := sem.Stats().Waits

	permit, _ := sem.TryAcquire("a") // a slot that is free costs no wait
	permit.Release()

	waits := sem.Stats().Waits.Since(before)
	fmt.Println(waits.Total(), "waits, p99", waits.Quantile(0.99))
	// Output: 0 waits, p99 0s
}
