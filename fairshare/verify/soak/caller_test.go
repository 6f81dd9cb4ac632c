package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A caller asks for things, as one tenant after the other, and ends its leases
// in every way there is.
type caller struct {
	*run
	r     *rand.Rand
	waits *hdrhistogram.Histogram // in microseconds, of the Acquires that succeeded
	stale []pool.Lease[*thing]
}

func (c *caller) tenant() string { return fmt.Sprint("t", c.r.IntN(tenants)) }

func (c *caller) loop() {
	for !c.isOver() {
		tenant := c.tenant()
		switch c.r.IntN(12) {
		case 0:
			if l, ok := c.pool.TryAcquire(tenant); ok {
				c.hold(l, tenant)
			}
			c.sleep(c.unit)
		case 1:
			c.do(context.Background(), tenant, 2)
		case 2:
			member := c.pool.Join(tenant)
			c.ask(10*c.unit, tenant, member.Acquire)
			member.Leave()
		case 3:
			c.ask(c.unit, tenant, c.acquire(tenant)) // gives up about when it is granted
		default:
			c.ask(50*c.unit, tenant, c.acquire(tenant))
		}
		c.poke()
	}
}

func (c *caller) acquire(tenant string) func(context.Context) (pool.Lease[*thing], error) {
	return func(ctx context.Context) (pool.Lease[*thing], error) { return c.pool.Acquire(ctx, tenant) }
}

// ask acquires a thing and holds it, unless that takes longer than a random
// time up to patience.
func (c *caller) ask(patience time.Duration, tenant string, acquire func(context.Context) (pool.Lease[*thing], error)) {
	ctx, cancel := context.WithTimeout(context.Background(), rand.N(patience))
	defer cancel()
	start := time.Now()
	l, err := acquire(ctx)
	if err == nil {
		_ = c.waits.RecordValue(time.Since(start).Microseconds())
		c.hold(l, tenant)
		return
	}
	c.refused(ctx, err)
}

// refused checks that an Acquire failed for a reason there may be.
func (c *caller) refused(ctx context.Context, err error) {
	c.failed.Add(1)
	var e *pool.AcquireError
	switch {
	case !errors.As(err, &e):
		c.t.Errorf("an Acquire failed without an AcquireError: %v", err)
	case errors.Is(err, pool.ErrClosed):
		c.t.Errorf("an open pool says it is closed: %v", err)
	case ctx.Err() == nil && e.Reason != fairshare.NotPrepared && errors.Is(err, context.Canceled):
		c.t.Errorf("an Acquire was cancelled by nobody: %v", err)
	}
	if ctx.Err() == nil {
		c.sleep(c.unit)
	}
}

// hold uses a thing for a while and ends the lease.
func (c *caller) hold(l pool.Lease[*thing], tenant string) {
	revoked := l.Revoked()
	th, ok := value(l)
	if !ok || !c.begin(th, func() bool { return isClosed(revoked) }) {
		if !isClosed(revoked) {
			c.t.Errorf("a lease of %q ended by itself", tenant)
		}
		return
	}
	if now := l.Tenant(); now != tenant && !isClosed(revoked) {
		c.t.Errorf("a lease for %q went to %q", tenant, now)
	}
	select {
	case <-time.After(c.rand(2 * c.unit)):
	case <-revoked:
		if c.r.IntN(4) == 0 {
			c.sleep(30 * c.unit) // overstays: the thing is destroyed under it
		}
	}
	way := c.r.IntN(100)
	if way == 0 && c.detectLost {
		return // and nobody ends the lease
	}
	if !c.end(th) && !isClosed(revoked) {
		c.t.Errorf("thing %d was destroyed under its holder", th.id)
	}
	switch {
	case way < 4:
		l.Destroy()
	case way < 7:
		c.hijack(l, revoked)
	default:
		l.Release()
	}
	c.stale = append(c.stale, l)
}

// value is Lease.Value, false if the lease has ended.
func value(l pool.Lease[*thing]) (th *thing, ok bool) {
	defer func() { ok = recover() == nil }()
	return l.Value(), true
}

func (c *caller) hijack(l pool.Lease[*thing], revoked <-chan struct{}) {
	defer func() {
		if v := recover(); v != nil {
			c.factory.writeOff(-1)
			if !isClosed(revoked) {
				c.t.Errorf("Hijack of a lease that nobody has ended: %v", v)
			}
		}
	}()
	c.factory.writeOff(1)
	l.Hijack()
}

// do is a use by Pool.Do, with another one inside now and then.
func (c *caller) do(outer context.Context, tenant string, depth int) {
	limit, cancel := context.WithTimeout(outer, 50*c.unit)
	defer cancel()
	defer func() { _ = recover() }() // Do lets the panic through
	called := false
	err := c.pool.Do(limit, tenant, func(ctx context.Context, th *thing) error {
		called = true
		revoked := func() bool {
			<-ctx.Done() // told just after the grace begins; limit ends it too
			return errors.Is(context.Cause(ctx), pool.ErrRevoked) || limit.Err() != nil
		}
		if !c.begin(th, revoked) {
			return nil
		}
		defer func() {
			if !c.end(th) && !revoked() {
				c.t.Errorf("thing %d was destroyed under its Do", th.id)
			}
		}()
		c.sleep(2 * c.unit)
		if depth > 1 && c.r.IntN(4) == 0 {
			c.do(ctx, c.tenant(), depth-1)
		}
		switch c.r.IntN(200) {
		case 0:
			panic("injected panic in a caller")
		case 1:
			return pool.ErrBadResource
		case 2, 3, 4:
			return errInjected
		case 5:
			return errFailover
		}
		return nil
	})
	if err != nil && !called && !errors.Is(err, pool.ErrRevoked) {
		c.refused(limit, err)
	}
}

// poke ends old leases once more.
func (c *caller) poke() {
	n := len(c.stale)
	if n == 0 {
		return
	}
	old := c.stale[c.r.IntN(n)]
	old.Release()
	old.Destroy()
	if old.Tenant() != "" {
		c.t.Error("a lease lives on after its end")
	}
	if n > 20 {
		c.stale = nil
	}
}

func (c *caller) rand(most time.Duration) time.Duration {
	return time.Duration(c.r.Int64N(int64(most)))
}

func (c *caller) sleep(most time.Duration) { time.Sleep(c.rand(most)) }

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
