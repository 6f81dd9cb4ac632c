package pool_test

import (
	"context"
	"fmt"

	"github.com/fairpool/fairpool/pool"
)

// Several traces nest, like functions that call each other.
func ExampleTraces() {
	say := func(who string) pool.Trace {
		return pool.Trace{
			AcquireStart: func(ctx context.Context, e pool.Event) context.Context {
				fmt.Println(who, "sees", e.Tenant, "ask")
				return ctx
			},
			AcquireDone: func(ctx context.Context, e pool.Event) {
				fmt.Println(who, "sees it served")
			},
		}
	}
	p := newConnPool(pool.Config[*conn]{
		MaxSize: 1,
		Trace:   pool.Traces(say("outer"), say("inner")),
	})
	defer p.Close()
	l, _ := p.Acquire(context.Background(), "tenant-1")
	l.Release()
	// Output:
	// outer sees tenant-1 ask
	// inner sees tenant-1 ask
	// inner sees it served
	// outer sees it served
}
