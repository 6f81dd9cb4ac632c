// Package pooltest makes leases for tests of code that takes a pool.Lease.
package pooltest

import (
	"context"
	"testing"

	"github.com/fairpool/fairpool/pool"
)

// Lease returns a lease of value, held by tenant. It comes from a pool of its own with one place, so it
// behaves like any lease: the code under test may release, destroy, copy or hijack it. The pool is closed when
// the test and its subtests end; value is not destroyed. Lease ends the test if the pool cannot be made.
func Lease[T any](tb testing.TB, tenant string, value T) pool.Lease[T] {
	tb.Helper()
	p, err := pool.New(pool.Config[T]{
		Constructor: func(context.Context) (T, error) { return value, nil },
		MaxSize:     1,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	lease, err := p.Acquire(context.WithoutCancel(tb.Context()), tenant)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(lease.Release)
	return lease
}
