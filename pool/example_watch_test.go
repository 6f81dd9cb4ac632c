package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/fairpool/fairpool/pool"
)

// newConnPool returns a pool of connections. What is constant about it is left
// out of the examples.
func newConnPool(cfg pool.Config[*conn]) *pool.Pool[*conn] {
	cfg.Constructor = newConns()
	p, err := pool.New(cfg)
	if err != nil {
		panic(err)
	}
	return p
}

// A lease that lasts for too long is reported with the stack that acquired it.
func ExampleGuard_leakAfter() {
	leaks := make(chan pool.Leak, 2)
	p := newConnPool(pool.Config[*conn]{
		MaxSize: 1,
		Guard:   pool.Guard{LeakAfter: 10 * time.Millisecond},
		Trace:   pool.Trace{Leak: func(l pool.Leak) { leaks <- l }},
	})
	defer p.Close()
	l, _ := p.Acquire(context.Background(), "tenant-1")

	leak := <-leaks
	fmt.Println(leak.Tenant, "has held resource", leak.Resource, "for long:", leak.Held >= 10*time.Millisecond)
	l.Release()
	leak = <-leaks
	fmt.Println("returned:", leak.Returned)
	// Output:
	// tenant-1 has held resource 1 for long: true
	// returned: true
}

// A caller that holds a lease and waits for another would wait for itself.
func ExampleGuard_forbidNested() {
	p := newConnPool(pool.Config[*conn]{
		MaxSize: 1,
		Guard:   pool.Guard{ForbidNested: true},
	})
	defer p.Close()
	err := p.Do(context.Background(), "tenant-1", func(ctx context.Context, c *conn) error {
		_, err := p.Acquire(ctx, "tenant-1") // ctx tells that the caller holds one
		return err
	})
	fmt.Println(errors.Is(err, pool.ErrNested))
	// Output: true
}

// A tenant that holds everything is asked to give some of it back.
func ExampleReclaim() {
	p := newConnPool(pool.Config[*conn]{
		MaxSize: 1,
		Reclaim: pool.Reclaim{After: 10 * time.Millisecond, Grace: time.Minute},
	})
	defer p.Close()
	started, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = p.Do(context.Background(), "greedy", func(ctx context.Context, c *conn) error {
			close(started)
			<-ctx.Done() // much work
			fmt.Println("greedy:", context.Cause(ctx))
			return ctx.Err()
		})
	}()
	<-started
	l, _ := p.Acquire(context.Background(), "needy")
	<-done
	fmt.Println("needy:", l.Value().Query("select 1"))
	l.Release()
	// Output:
	// greedy: pool: lease revoked
	// needy: conn 1: select 1
}

func ExamplePool_Revoke() {
	p := newConnPool(pool.Config[*conn]{MaxSize: 2})
	defer p.Close()
	a, _ := p.Acquire(context.Background(), "tenant-1")
	b, _ := p.Acquire(context.Background(), "tenant-2")

	n := p.Revoke(errors.New("account closed"), func(h pool.Holder) bool {
		return h.Tenant == "tenant-1"
	})
	fmt.Println(n, "asked back")
	<-a.Revoked()
	a.Release()
	b.Release()
	// Output: 1 asked back
}

func ExampleLease_Context() {
	p := newConnPool(pool.Config[*conn]{MaxSize: 1})
	defer p.Close()
	l, _ := p.Acquire(context.Background(), "tenant-1")
	defer l.Release()
	ctx, cancel := l.Context(context.Background())
	defer cancel()

	p.Revoke(nil, func(pool.Holder) bool { return true })
	<-ctx.Done()
	fmt.Println(context.Cause(ctx))
	// Output: pool: lease revoked
}

func ExamplePool_Holders() {
	p := newConnPool(pool.Config[*conn]{MaxSize: 2})
	defer p.Close()
	a, _ := p.Acquire(context.Background(), "tenant-1")
	b, _ := p.Acquire(context.Background(), "tenant-2")
	for h := range p.Holders() {
		fmt.Println(h.Tenant, "holds resource", h.Resource)
	}
	a.Release()
	b.Release()
	// Output:
	// tenant-1 holds resource 1
	// tenant-2 holds resource 2
}

func ExamplePool_Stats() {
	p := newConnPool(pool.Config[*conn]{MaxSize: 4})
	defer p.Close()
	a, _ := p.Acquire(context.Background(), "tenant-1")
	b, _ := p.Acquire(context.Background(), "tenant-1")
	b.Release()
	s := p.Stats()
	fmt.Println(s.Leased, "leased,", s.Warm, "warm,", s.Waiting, "waiting,", s.Built, "built")
	a.Release()
	// Output: 1 leased, 1 warm, 0 waiting, 2 built
}

// What a start function puts into the context reaches the work and the matching
// done function: the place for spans of a tracing library.
func ExampleTrace() {
	type span struct{}
	p := newConnPool(pool.Config[*conn]{
		MaxSize: 1,
		Trace: pool.Trace{
			AcquireStart: func(ctx context.Context, e pool.Event) context.Context {
				return context.WithValue(ctx, span{}, "span of "+e.Tenant)
			},
			AcquireDone: func(ctx context.Context, e pool.Event) {
				fmt.Println(ctx.Value(span{}), "got resource", e.Resource, "error:", e.Err)
			},
			Release: func(e pool.Event) { fmt.Println(e.Tenant, "returned resource", e.Resource) },
		},
	})
	defer p.Close()
	l, _ := p.Acquire(context.Background(), "tenant-1")
	l.Release()
	// Output:
	// span of tenant-1 got resource 1 error: <nil>
	// tenant-1 returned resource 1
}

// A lines receives what is logged.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// The pool logs what goes wrong with no caller to tell.
func ExampleConfig_logger() {
	logged := make(lines)
	p := newConnPool(pool.Config[*conn]{
		MaxSize:    1,
		Destructor: func(*conn) { panic("already closed") },
		Logger: slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				switch a.Key {
				case "time", "stack": // differ from run to run
					return slog.Attr{}
				}
				return a
			},
		})),
	})
	l, _ := p.Acquire(context.Background(), "tenant-1")
	l.Destroy()
	fmt.Print(<-logged)
	_ = p.Shutdown(context.Background())
	// Output: level=WARN msg="pool: destructor failed" resource=1 error="Destructor panicked: already closed"
}
