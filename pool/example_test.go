package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A conn stands for whatever is scarce: a connection, a tab, a session.
type conn struct{ id int64 }

func (c *conn) Query(q string) string { return fmt.Sprintf("conn %d: %s", c.id, q) }

// newConns returns a constructor that numbers the connections.
func newConns() func(context.Context) (*conn, error) {
	var n atomic.Int64
	return func(context.Context) (*conn, error) {
		return &conn{n.Add(1)}, nil
	}
}

func ExamplePool() {
	p, err := pool.New(pool.Config[*conn]{
		Constructor: newConns(),
		Destructor:  func(c *conn) { fmt.Println("conn", c.id, "closed") },
		MaxSize:     1,
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()

	l, err := p.Acquire(ctx, "tenant-1")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Value().Query("select 1"))
	l.Release()

	// The tenant may come with the context.
	l, err = p.Acquire(fairshare.WithTenant(ctx, "tenant-2"), "")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Tenant(), "has", l.Value().Query("select 2"))
	l.Release()

	if err := p.Shutdown(ctx); err != nil {
		panic(err)
	}
	// Output:
	// conn 1: select 1
	// tenant-2 has conn 1: select 2
	// conn 1 closed
}

func ExampleConfig() {
	p, err := pool.New(pool.Config[*conn]{
		Constructor:  newConns(),
		MaxSize:      8,
		BuildTimeout: 5 * time.Second,
		Sharing: fairshare.Config{
			Default: fairshare.Share{MaxWaiting: 1000},
			Tenants: map[string]fairshare.Share{
				"batch": {Weight: 0.5, Max: 6},
				"web":   {Weight: 2, Min: 2},
			},
		},
	})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	fmt.Println("capacity", p.Stats().Capacity)

	_, err = pool.New(pool.Config[*conn]{MaxSize: -1})
	fmt.Println(err)
	// Output:
	// capacity 8
	// pool: Config.Constructor is nil
	// pool: Config.MaxSize is -1, must be between 1 and 2147483647
}

func ExampleLease() {
	p, err := pool.New(pool.Config[*conn]{Constructor: newConns(), MaxSize: 1})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	ctx := context.Background()

	l, _ := p.Acquire(ctx, "a")
	l.Release()
	l.Release() // does nothing

	broken, _ := p.Acquire(ctx, "a")
	fmt.Println("had conn", broken.Value().id)
	broken.Destroy() // another is built in its place

	l, _ = p.Acquire(ctx, "a")
	mine := l.Hijack() // the pool has nothing to do with it any more
	fmt.Println("own conn", mine.id)

	defer func() { fmt.Println(recover()) }()
	l.Value()
	// Output:
	// had conn 1
	// own conn 2
	// pool: Value of a lease that was released, destroyed, hijacked or taken back
}

// With strict shares a tenant that has joined has its share kept free for it.
func ExampleTenant() {
	p, err := pool.New(pool.Config[*conn]{
		Constructor: newConns(),
		MaxSize:     4,
		Sharing:     fairshare.Config{ShareFunc: fairshare.EqualShare},
	})
	if err != nil {
		panic(err)
	}
	defer p.Close()

	a := p.Join("a")
	for name, t := range p.Tenants() {
		fmt.Println("alone,", name, "may hold", t.Cap)
	}
	b := p.Join("b")
	for name, t := range p.Tenants() {
		fmt.Println("together,", name, "may hold", t.Cap)
	}

	l, err := b.Acquire(context.Background())
	if err != nil {
		panic(err)
	}
	l.Release()
	b.Leave()
	a.Leave()
	// Output:
	// alone, a may hold 4
	// together, a may hold 2
	// together, b may hold 2
}

func ExampleStats() {
	p, err := pool.New(pool.Config[*conn]{Constructor: newConns(), MaxSize: 4})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	ctx := context.Background()
	a, _ := p.Acquire(ctx, "a")
	b, _ := p.Acquire(ctx, "b")
	b.Release()

	s := p.Stats()
	fmt.Printf("%d of %d in use, %d warm, %d built\n", s.InUse, s.Capacity, s.Warm, s.Built)
	a.Release()
	// Output:
	// 1 of 4 in use, 1 warm, 2 built
}

func ExampleAcquireError() {
	p, err := pool.New(pool.Config[*conn]{
		Constructor: newConns(),
		MaxSize:     2,
		Sharing:     fairshare.Config{Default: fairshare.Share{Max: 1}},
	})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	l, err := p.Acquire(context.Background(), "a")
	if err != nil {
		panic(err)
	}
	defer l.Release()

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = p.Acquire(ctx, "a")
	var why *pool.AcquireError
	if errors.As(err, &why) {
		fmt.Println(why.Reason, why.Held, "of", why.Cap)
	}
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output:
	// tenant at its cap 1 of 1
	// true
}

func ExamplePool_Do() {
	p, err := pool.New(pool.Config[*conn]{Constructor: newConns(), MaxSize: 1})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	ctx := context.Background()

	err = p.Do(ctx, "a", func(_ context.Context, c *conn) error {
		fmt.Println(c.Query("select 1"))
		return fmt.Errorf("broken pipe: %w", pool.ErrBadResource)
	})
	fmt.Println(err)

	// The bad one is gone.
	_ = p.Do(ctx, "a", func(_ context.Context, c *conn) error {
		fmt.Println(c.Query("select 1"))
		return nil
	})
	// Output:
	// conn 1: select 1
	// broken pipe: pool: bad resource
	// conn 2: select 1
}
