package pool_test

import (
	"context"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/pool"
)

func ExamplePool_Warm() {
	p, err := pool.New(pool.Config[*conn]{
		Constructor: newConns(),
		MaxSize:     10,
		Sizes: pool.Sizes{
			MinIdle:             3, // ready at any time, if there is room
			MaxIdle:             5,
			MaxConcurrentBuilds: 2,
		},
	})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	// Before the first request comes in.
	if err := p.Warm(ctx); err != nil {
		panic(err)
	}
	fmt.Println(p.Stats().Warm, "warm")
	// Output: 3 warm
}

func ExampleAge() {
	p, err := pool.New(pool.Config[*conn]{
		Constructor: newConns(),
		MaxSize:     10,
		Age: pool.Age{
			MaxIdleTime:       5 * time.Minute,
			MaxLifetime:       time.Hour,
			MaxLifetimeJitter: 10 * time.Minute, // so that not all end at once
			MaxUses:           2,
		},
	})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	for range 4 {
		err := p.Do(context.Background(), "tenant-1", func(_ context.Context, c *conn) error {
			fmt.Println(c.Query("select 1"))
			return nil
		})
		if err != nil {
			panic(err)
		}
	}
	// Output:
	// conn 1: select 1
	// conn 1: select 1
	// conn 2: select 1
	// conn 2: select 1
}

func ExamplePool_ResetGradually() {
	p, err := pool.New(pool.Config[*conn]{
		Constructor: newConns(),
		MaxSize:     2,
		Sizes:       pool.Sizes{MinIdle: 1},
	})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	if err := p.Warm(context.Background()); err != nil {
		panic(err)
	}

	// The credentials have changed: replace the connections, one by one.
	p.ResetGradually()
	for p.Stats().Stale > 0 {
		time.Sleep(time.Millisecond)
	}
	l, err := p.Acquire(context.Background(), "tenant-1")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Value().Query("select 1"))
	l.Release()
	// Output: conn 2: select 1
}

func ExamplePool_Suspend() {
	p, err := pool.New(pool.Config[*conn]{Constructor: newConns(), MaxSize: 2})
	if err != nil {
		panic(err)
	}
	p.Suspend() // for maintenance, say
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := p.Acquire(ctx, "tenant-1"); err != nil {
		fmt.Println("suspended:", p.Stats().Suspended)
	}
	p.Resume()
	l, err := p.Acquire(context.Background(), "tenant-1")
	if err != nil {
		panic(err)
	}

	ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		fmt.Println("still out:", p.Stats().Leased)
	}
	l.Release()
	fmt.Println(p.Shutdown(context.Background()))
	// Output:
	// suspended: true
	// still out: 1
	// <nil>
}
