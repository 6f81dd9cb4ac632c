// Package puddle stands for github.com/jackc/puddle/v2, as far as pool uses it,
// where goroutines take turns. What that does with its own lock between the
// constructor and the destructor, nobody else can see.
package puddle

import (
	"context"
	"errors"

	"github.com/fairpool/fairpool/fairshare/verify/interleave/turns"
)

// A Config is a puddle.Config.
type Config[T any] struct {
	Constructor func(ctx context.Context) (T, error)
	Destructor  func(T)
	MaxSize     int32
}

// A Pool is a puddle.Pool that nobody gets an idle resource from.
type Pool[T any] struct {
	config *Config[T]
	ctx    context.Context
	cancel func()
	size   int32 // resources being built, alive, or being destroyed
	closed bool
}

// A Resource is a puddle.Resource.
type Resource[T any] struct {
	pool  *Pool[T]
	value T
}

// NewPool makes a pool.
func NewPool[T any](config *Config[T]) (*Pool[T], error) {
	p := &Pool[T]{config: config}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Acquire builds a resource.
func (p *Pool[T]) Acquire(context.Context) (*Resource[T], error) {
	turns.Await("waits for a place", func() bool { return p.closed || p.size < p.config.MaxSize })
	if p.closed {
		return nil, errors.New("closed pool")
	}
	p.size++
	value, err := p.config.Constructor(p.ctx)
	if err != nil {
		p.size--
		return nil, err
	}
	return &Resource[T]{p, value}, nil
}

// Close ends the builds and returns when the last resource is destroyed.
func (p *Pool[T]) Close() {
	turns.Point("closes the register")
	p.closed = true
	p.cancel()
	turns.Await("waits for the last destructor", func() bool { return p.size == 0 })
}

// Value returns the resource.
func (r *Resource[T]) Value() T { return r.value }

// Destroy has the destructor called in a goroutine of its own.
func (r *Resource[T]) Destroy() {
	turns.Go("a destructor", func() {
		r.pool.config.Destructor(r.value)
		r.pool.size--
	})
}

// Hijack takes the resource out of the pool.
func (r *Resource[T]) Hijack() { r.pool.size-- }
