package pool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/pool"
)

// A call is an Acquire, a TryAcquire, a Do or a Warm under way.
type call struct {
	w       *world
	ctx     context.Context
	cancel  context.CancelFunc
	tenant  string
	asking  atomic.Bool // inside an Acquire
	warming atomic.Bool
	ended   time.Time // when its context was seen to have ended
}

func (w *world) begin(ctx context.Context, cancel context.CancelFunc) *call {
	c := &call{w: w, ctx: ctx, cancel: cancel}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, c)
	return c
}

func (c *call) over() {
	c.cancel()
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.w.calls = remove(c.w.calls, c)
}

func (w *world) underWay() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.calls)
}

func (w *world) cancelAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		c.cancel()
	}
}

func (c *call) acquire(get func() (pool.Lease[*thing], error)) *leased {
	defer c.over()
	c.asking.Store(true)
	lease, err := get()
	c.asking.Store(false)
	var refusal *pool.AcquireError
	switch {
	case err == nil:
		return c.w.granted(c.ctx, lease, c.tenant)
	case !errors.As(err, &refusal):
		c.w.t.Errorf("Acquire returned %v", err)
	case refusal.Tenant != c.tenant:
		c.w.t.Errorf("the error of an Acquire for %s is about %q", c.tenant, refusal.Tenant)
	}
	return nil
}

func (c *call) tryAcquire() *leased {
	defer c.over()
	lease, ok := c.w.p.TryAcquire(c.tenant)
	if !ok {
		return nil
	}
	return c.w.granted(c.ctx, lease, c.tenant)
}

func (c *call) do(r *rand.Rand, depth int) {
	w := c.w
	var x *leased
	defer func() {
		v := recover()
		if v != nil && v != "the caller broke" {
			panic(v)
		}
		if x != nil {
			w.forget(x)
		}
		c.over()
	}()
	c.asking.Store(true)
	defer c.asking.Store(false)
	_ = w.p.Do(c.ctx, c.tenant, func(ctx context.Context, th *thing) error {
		c.asking.Store(false)
		x = &leased{thing: th, tenant: c.tenant, ctx: ctx, inside: true}
		w.register(x)
		defer w.letGo(x)
		work := time.Duration(r.Int64N(int64(500 * time.Millisecond)))
		if r.IntN(2) == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(work):
			}
		} else {
			time.Sleep(work)
		}
		if depth > 0 && r.IntN(8) == 0 {
			inner := w.begin(context.WithTimeout(ctx, work))
			inner.tenant = c.tenant
			inner.do(r, depth-1)
		}
		switch r.IntN(12) {
		case 0:
			panic("the caller broke")
		case 1:
			return pool.ErrBadResource
		case 2:
			return errors.New("not found")
		case 3:
			return errCondemning
		case 4:
			runtime.Goexit()
		}
		return nil
	})
}

// granted registers a lease that was just handed out, and returns it;
// nil if it was taken back before.
func (w *world) granted(ctx context.Context, lease pool.Lease[*thing], tenant string) (x *leased) {
	x = &leased{lease: lease, tenant: tenant, ctx: ctx}
	defer func() {
		if recover() == nil {
			return
		}
		x = nil
		if w.p.Stats().Revocations == 0 {
			w.t.Errorf("a lease for %s was dead on arrival", tenant)
		}
	}()
	x.thing = lease.Value()
	if w.roll().IntN(2) == 0 {
		x.revoked = lease.Revoked()
	}
	w.register(x)
	return x
}

// register checks what holds at every grant.
func (w *world) register(x *leased) {
	w.grants.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leases = append(w.leases, x)
	k := w.know(x.thing)
	if k.holder != nil {
		w.t.Errorf("thing %d of %s is leased to %s", x.thing.id, k.holder.tenant, x.tenant)
	}
	if x.thing.ended.Load() {
		w.t.Errorf("thing %d is leased after its end", x.thing.id)
	}
	if w.config.Tenancy.Prepare != nil && k.prepared != x.tenant {
		w.t.Errorf("thing %d is prepared for %q and leased to %q", x.thing.id, k.prepared, x.tenant)
	}
	if w.config.Tenancy.Reset != nil && k.dirty {
		w.t.Errorf("thing %d is leased without a reset", x.thing.id)
	}
	if w.config.Tenancy.Isolation == pool.Dedicated && k.owner != "" && k.owner != x.tenant {
		w.t.Errorf("thing %d of %s is leased to %s", x.thing.id, k.owner, x.tenant)
	}
	k.uses++
	if most := w.config.Age.MaxUses; most > 0 && k.uses > most {
		w.t.Errorf("thing %d is leased %d times", x.thing.id, k.uses)
	}
	k.holder, k.owner, k.dirty, k.prepared = x, x.tenant, true, ""
}

// letGo tells that a holder has no more to do with its thing.
func (w *world) letGo(x *leased) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x.ending = true
	if k := w.know(x.thing); k.holder == x {
		k.holder = nil
	}
}

// forget tells that the end of a lease is over.
func (w *world) forget(x *leased) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leases = remove(w.leases, x)
	if !x.inside {
		w.stale = append(w.stale, x.lease)
		if len(w.stale) > 50 {
			w.stale = w.stale[1:]
		}
	}
}

// finish ends a lease.
func (w *world) finish(x *leased, how func()) {
	w.letGo(x)
	how()
	if x.lease.Tenant() != "" {
		w.t.Errorf("%s's lease of thing %d lives on after its end", x.tenant, x.thing.id)
	}
	w.forget(x)
}

func (w *world) hijack(x *leased) {
	defer func() {
		if recover() == nil {
			return
		}
		if w.p.Stats().Revocations == 0 {
			w.t.Errorf("%s's lease of thing %d could not be hijacked", x.tenant, x.thing.id)
		}
		w.f.mu.Lock()
		defer w.f.mu.Unlock()
		w.f.live++
	}()
	w.f.hijack(x.lease)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.known, x.thing.id)
}

// seized checks that a thing that is destroyed under its holder was asked back.
func (w *world) seized(x *leased) {
	if w.p.Stats().Revocations == 0 {
		w.t.Errorf("thing %d is destroyed under %s", x.thing.id, x.tenant)
	}
	if x.revoked == nil {
		return
	}
	select {
	case <-x.revoked:
	default:
		w.t.Errorf("thing %d is taken from %s without a word", x.thing.id, x.tenant)
	}
}

// pick returns a lease that nobody is about to end, nil if there is none.
func (l *life) pick() *leased {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*leased
	for _, x := range l.leases {
		if !x.ending && !x.inside {
			all = append(all, x)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[l.r.IntN(len(all))]
}

func (l *life) pickCall() *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.calls) == 0 {
		return nil
	}
	return l.calls[l.r.IntN(len(l.calls))]
}

func (l *life) pickStale() (old pool.Lease[*thing], ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.stale) == 0 {
		return old, false
	}
	return l.stale[l.r.IntN(len(l.stale))], true
}
