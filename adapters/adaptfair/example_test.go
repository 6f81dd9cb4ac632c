package adaptfair_test

import (
	"context"
	"fmt"

	"github.com/fairpool/fairpool/adapters/adaptfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

func ExampleGate() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 20}) // to begin with
	if err != nil {
		panic(err)
	}
	gate, err := adaptfair.NewGate(sem, adaptfair.Config{Max: 200})
	if err != nil {
		panic(err)
	}
	held, err := gate.Acquire(context.Background(), "acme")
	if err != nil {
		panic(err)
	}
	fmt.Println("in flight:", gate.Limiter().Stats().InFlight)
	held.Release() // or Fail, if the call was refused
	fmt.Println("limit:", gate.Limiter().Stats().Limit)
	// Output:
	// in flight: 1
	// limit: 20
}

func ExampleLimiter_Trace() {
	limiter, err := adaptfair.New(adaptfair.Config{})
	if err != nil {
		panic(err)
	}
	conns, err := pool.New(pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "a connection", nil },
		MaxSize:     50,
		Trace:       limiter.Trace(),
	})
	if err != nil {
		panic(err)
	}
	defer conns.Close()
	if err := limiter.Drive(conns); err != nil {
		panic(err)
	}
	lease, err := conns.Acquire(context.Background(), "acme")
	if err != nil {
		panic(err)
	}
	fmt.Println("in flight:", limiter.Stats().InFlight)
	lease.Release()
	fmt.Println("limit:", limiter.Stats().Limit, "of", limiter.Stats().Max)
	// Output:
	// in flight: 1
	// limit: 50 of 50
}

func ExampleLimiter_Begin() {
	limiter, err := adaptfair.New(adaptfair.Config{})
	if err != nil {
		panic(err)
	}
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 8})
	if err != nil {
		panic(err)
	}
	if err := limiter.Drive(sem); err != nil {
		panic(err)
	}
	permit, err := sem.Acquire(context.Background(), "acme")
	if err != nil {
		panic(err)
	}
	call := limiter.Begin()
	served := true // what the call came to
	call.End(served)
	permit.Release()
	fmt.Println(limiter.Stats().InFlight, "in flight, limit", limiter.Stats().Limit)
	// Output:
	// 0 in flight, limit 8
}
