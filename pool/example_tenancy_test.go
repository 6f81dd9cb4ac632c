package pool_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/pool"
)

// A session is a connection with the role of one tenant.
type session struct{ role string }

// Each hand-over switches the role, and each return takes it away again, so
// that no tenant ever works with the rights of another.
func ExampleTenancy() {
	p, err := pool.New(pool.Config[*session]{
		Constructor: func(context.Context) (*session, error) { return &session{}, nil },
		MaxSize:     1,
		Tenancy: pool.Tenancy[*session]{
			Prepare: func(_ context.Context, s *session, h pool.Handover) error {
				fmt.Printf("set role %s (fresh: %t, before: %q)\n", h.Tenant, h.Fresh, h.Previous)
				s.role = h.Tenant
				return nil
			},
			Reset: func(_ context.Context, s *session) error {
				s.role = ""
				return nil
			},
		},
	})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	for _, tenant := range []string{"acme", "globex"} {
		err := p.Do(context.Background(), tenant, func(_ context.Context, s *session) error {
			fmt.Println("working as", s.role)
			return nil
		})
		if err != nil {
			panic(err)
		}
	}
	// Output:
	// set role acme (fresh: true, before: "")
	// working as acme
	// set role globex (fresh: false, before: "acme")
	// working as globex
}

// With Dedicated a tenant meets only resources that are its own.
func ExampleDedicated() {
	built := 0
	p, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { built++; return built, nil },
		MaxSize:     2,
		Tenancy:     pool.Tenancy[int]{Isolation: pool.Dedicated},
	})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	for _, tenant := range []string{"acme", "globex", "acme", "initech", "acme"} {
		l, err := p.Acquire(context.Background(), tenant)
		if err != nil {
			panic(err)
		}
		fmt.Println(tenant, "has resource", l.Value())
		l.Release()
	}
	fmt.Println("displaced:", p.Stats().Retired[pool.Displaced])
	// Output:
	// acme has resource 1
	// globex has resource 2
	// acme has resource 1
	// initech has resource 3
	// acme has resource 1
	// displaced: 1
}

// One error that says that the server has failed over replaces every resource
// at once.
func ExampleHealth() {
	errReadOnly := errors.New("the server is read only")
	built := 0
	p, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { built++; return built, nil },
		MaxSize:     1,
		Health: pool.Health[int]{
			Check:   func(context.Context, int) error { return nil },
			MarkBad: func(err error) bool { return errors.Is(err, errReadOnly) },
		},
	})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	query := func(_ context.Context, connection int) error {
		fmt.Println("query on connection", connection)
		if connection == 1 {
			return errReadOnly
		}
		return nil
	}
	fmt.Println(p.Do(context.Background(), "acme", query))
	fmt.Println(p.Do(context.Background(), "acme", query))
	// Output:
	// query on connection 1
	// the server is read only
	// query on connection 2
	// <nil>
}
