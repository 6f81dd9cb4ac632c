package pool

import (
	"context"
	"sync"
	"time"
)

// A hookContext is the context of a hook. It ends with its deadline, with the
// pool and, if it is inline, with the caller; it carries the caller's values.
//
// Most hooks hand it to something that never looks at it. So it becomes a
// context of package context, with a timer, only when somebody asks for Done.
type hookContext struct {
	caller   context.Context // its values are those of the hook
	life     context.Context // of the pool
	deadline time.Time
	inline   bool

	mu     sync.Mutex
	real   context.Context // nil until it is asked for
	cancel context.CancelFunc
	over   bool // the hook has returned
}

// makeReal returns the context of package context that stands for c.
func (c *hookContext) makeReal() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.real != nil:
		return c.real
	case c.inline:
		ctx, cancel := context.WithDeadlineCause(c.caller, c.deadline, ErrHookTimeout)
		unwatch := context.AfterFunc(c.life, cancel)
		c.real, c.cancel = ctx, func() {
			unwatch()
			cancel()
		}
	default:
		c.real, c.cancel = context.WithDeadlineCause(detached{c.life, c.caller}, c.deadline, ErrHookTimeout)
	}
	if c.over {
		c.cancel()
	}
	return c.real
}

// end ends the context because the hook has returned.
func (c *hookContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.cancel != nil {
		c.cancel()
	}
}

// Deadline returns the earlier of the hook's deadline and, inline, the caller's.
func (c *hookContext) Deadline() (time.Time, bool) {
	if c.inline {
		if d, ok := c.caller.Deadline(); ok && d.Before(c.deadline) {
			return d, true
		}
	}
	return c.deadline, true
}

func (c *hookContext) Done() <-chan struct{} { return c.makeReal().Done() }

func (c *hookContext) Err() error {
	c.mu.Lock()
	lazy := c.real == nil && !c.over
	c.mu.Unlock()
	if lazy && c.life.Err() == nil && (!c.inline || c.caller.Err() == nil) && time.Now().Before(c.deadline) {
		return nil
	}
	return c.makeReal().Err()
}

func (c *hookContext) Value(key any) any {
	c.mu.Lock()
	real := c.real
	c.mu.Unlock()
	switch {
	case real != nil:
		return real.Value(key)
	case c.inline:
		return c.caller.Value(key)
	}
	return detached{c.life, c.caller}.Value(key)
}

// AfterFunc spares package context a goroutine for each context that is made
// from c.
func (c *hookContext) AfterFunc(f func()) func() bool { return context.AfterFunc(c.makeReal(), f) }

// detached is a context that ends with one and has the values of another.
type detached struct {
	context.Context
	values context.Context
}

func (d detached) Value(key any) any {
	if v := d.Context.Value(key); v != nil { // first, for package context asks it for itself
		return v
	}
	return d.values.Value(key)
}
