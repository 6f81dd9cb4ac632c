package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A world is a pool with a configuration drawn from the seed, its constructor,
// destructor and hooks, and what its users know: the leases and calls.
type world struct {
	t           *testing.T
	seed        uint64
	p           *pool.Pool[*thing]
	started     atomic.Bool // p is set
	f           *factory
	config      pool.Config[*thing]
	description string
	size        int
	tenants     int
	faults      map[string]float64 // how often each of the functions misbehaves
	delay       time.Duration      // how long it takes otherwise, at most
	traced      bool

	calm     atomic.Bool  // all of them behave
	mayClose atomic.Bool  // one of them may close the pool
	hooks    atomic.Int32 // functions that run, also those that the pool has left behind
	rolls    atomic.Uint64
	grants   atomic.Int64

	mu         sync.Mutex
	calls      []*call
	leases     []*leased // out, or on their way back
	stale      []pool.Lease[*thing]
	known      map[int]*knowledge // of the things
	capacities []int              // set since the last check
	tally      tally
}

// A knowledge is what the world knows about a thing.
type knowledge struct {
	thing    *thing
	holder   *leased
	uses     int
	owner    string // the first tenant that got it
	prepared string // the tenant that it is prepared for
	dirty    bool   // to be reset
}

// A leased is a lease that somebody has.
type leased struct {
	lease   pool.Lease[*thing] // zero for one inside Do
	thing   *thing
	tenant  string
	ctx     context.Context
	inside  bool            // of Do
	ending  bool            // somebody is about to end it
	revoked <-chan struct{} // nil if the holder does not care
	since   time.Time       // when it was seen to be revoked
}

// alive reports whether the pool owes it to the holder.
func (x *leased) alive() bool {
	if x.inside {
		return !x.thing.ended.Load()
	}
	return x.lease.Tenant() != ""
}

var errCondemning = errors.New("the server has failed over")

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, seed: seed, f: &factory{}, known: make(map[int]*knowledge)}
	w.tally.dying = make(map[uint64]death)
	w.f.build = func(ctx context.Context, _ int) error { return w.misbehave(ctx, "build", w.config.BuildTimeout) }
	w.f.end = w.destroy
	w.configure(rand.New(rand.NewPCG(seed, 1)))
	w.p = newPool(t, w.f, w.config)
	w.started.Store(true)
	return w
}

// roll returns a source of randomness of its own for the caller.
func (w *world) roll() *rand.Rand { return rand.New(rand.NewPCG(w.seed, 2+w.rolls.Add(1))) }

func (w *world) configure(r *rand.Rand) {
	chance := func(n int) bool { return r.IntN(n) == 0 }
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(r.Int64N(int64(most-least)))
	}
	w.size, w.tenants = 1+r.IntN(8), 2+r.IntN(10)
	w.delay = []time.Duration{1, 10 * time.Millisecond, 100 * time.Millisecond}[r.IntN(3)]
	w.faults = make(map[string]float64)
	for _, what := range []string{"build", "destroy", "check", "prepare", "reset", "trace"} {
		w.faults[what] = []float64{0, 0.02, 0.1, 0.3}[r.IntN(4)]
	}
	c := &w.config
	c.MaxSize = w.size
	c.BuildTimeout, c.DestroyTimeout = between(100*time.Millisecond, 2*time.Second), between(100*time.Millisecond, 2*time.Second)
	w.configureSharing(r, &c.Sharing)
	if chance(2) {
		c.Sizes.MinIdle = r.IntN(w.size + 1)
	}
	if chance(3) {
		c.Sizes.MaxIdle = max(1, c.Sizes.MinIdle+r.IntN(2))
	}
	if chance(3) {
		c.Sizes.MaxConcurrentBuilds = 1 + r.IntN(2)
	}
	if chance(3) {
		c.Age.MaxIdleTime = between(10*time.Millisecond, 3*time.Second)
	}
	if chance(3) {
		c.Age.MaxLifetime = between(100*time.Millisecond, 10*time.Second)
		c.Age.MaxLifetimeJitter = time.Duration(r.IntN(2)) * time.Second
	}
	if chance(4) {
		c.Age.MaxUses = 1 + r.IntN(10)
	}
	if chance(2) {
		c.Health.Check = w.check
		c.Health.CheckAfter = between(1, time.Second)
		c.Health.CheckTimeout = between(10*time.Millisecond, time.Second)
		if chance(2) {
			c.Health.KeepAlive = between(10*time.Millisecond, 2*time.Second)
		}
	}
	if chance(2) {
		c.Health.MarkBad = w.markBad
	}
	if chance(2) {
		c.Tenancy.Prepare = w.prepare
		c.Tenancy.PrepareTimeout = between(10*time.Millisecond, time.Second)
		c.Tenancy.PrepareInline = chance(2)
	}
	if chance(2) {
		c.Tenancy.Reset = w.reset
		c.Tenancy.ResetTimeout = between(10*time.Millisecond, time.Second)
		c.Tenancy.ResetIdle = c.Tenancy.Prepare != nil && chance(2)
	}
	if chance(4) {
		c.Tenancy.Isolation = pool.Dedicated
	}
	if chance(3) {
		c.Guard.LeakAfter = between(100*time.Millisecond, 5*time.Second)
	}
	c.Guard.ForbidNested = chance(3)
	if chance(3) {
		c.Reclaim.After = between(50*time.Millisecond, 2*time.Second)
	}
	c.Reclaim.Grace = between(10*time.Millisecond, 3*time.Second)
	if chance(2) {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if w.traced = !chance(4); w.traced {
		w.trace(&c.Trace)
	}
	w.description = fmt.Sprintf("%+v faults %v delay %v tenants %d", w.config, w.faults, w.delay, w.tenants)
}

func (w *world) configureSharing(r *rand.Rand, c *fairshare.Config) {
	chance := func(n int) bool { return r.IntN(n) == 0 }
	c.Default.MaxWaiting = r.IntN(2) * 10
	if chance(4) {
		c.Default.Max = 1 + r.IntN(3)
	}
	c.Tenants = map[string]fairshare.Share{"t0": {Weight: 3}, "t1": {Max: 1}, "t2": {Min: 1, Weight: 0.5}}
	c.Horizon = []time.Duration{0, 0, time.Second, fairshare.Instant}[r.IntN(4)]
	c.Burst = []time.Duration{0, -1, time.Second}[r.IntN(3)]
	if chance(3) {
		c.Headroom = r.IntN(w.size)
	}
	if chance(4) {
		c.MaxWaiting = 5 + r.IntN(20)
	}
	if chance(3) {
		c.AcquireTimeout = time.Duration(1 + r.Int64N(int64(3*time.Second)))
	}
	c.RejectLate = chance(3)
	switch r.IntN(8) {
	case 0:
		c.ShareFunc = fairshare.EqualShare
	case 1:
		c.ShareFunc = func(capacity, tenants int) int {
			switch {
			case !w.started.Load():
			case tenants == 3:
				panic("the rule broke")
			case tenants == 5:
				return -1
			}
			return capacity
		}
	}
}

// misbehave is what the constructor and the hooks have in common: they take
// time and call back into the pool, and at times fail in one of many ways.
func (w *world) misbehave(ctx context.Context, what string, limit time.Duration) error {
	w.hooks.Add(1)
	defer w.hooks.Add(-1)
	if w.calm.Load() {
		return nil
	}
	r := w.roll()
	if r.IntN(2) == 0 {
		time.Sleep(time.Duration(r.Int64N(int64(w.delay))))
	}
	if r.IntN(50) == 0 {
		w.callBack(r, true)
	}
	if r.Float64() >= w.faults[what] {
		return nil
	}
	switch r.IntN(7) {
	case 0:
		return errCondemning
	case 1:
		panic(what + " broke")
	case 2:
		runtime.Goexit()
	case 3:
		<-ctx.Done()
		return ctx.Err()
	case 4:
		time.Sleep(limit + time.Duration(r.Int64N(int64(3*limit)))) // whatever ctx says
		return nil
	}
	return errors.New(what + " failed")
}

// callBack calls the pool from inside a hook.
func (w *world) callBack(r *rand.Rand, mayBlock bool) {
	if !w.started.Load() || w.calm.Load() {
		return
	}
	switch r.IntN(10) {
	case 0:
		if w.mayClose.Load() {
			w.p.Close()
		}
	case 1:
		for range w.p.Holders() {
			w.p.Stats()
		}
		for range w.p.Tenants() {
			w.p.Stats()
		}
	case 2:
		w.resize(r.IntN(w.size + 1))
	case 3, 4:
		w.resize(w.size)
	case 5:
		w.p.Reset()
	case 6:
		w.p.ResetGradually()
	case 7:
		if mayBlock {
			if x := w.visit(r).tryAcquire(); x != nil {
				w.finish(x, x.lease.Release)
			}
		}
	case 8:
		if mayBlock {
			c := w.visit(r)
			x := c.acquire(func() (pool.Lease[*thing], error) { return w.p.Acquire(c.ctx, c.tenant) })
			if x != nil {
				w.finish(x, x.lease.Release)
			}
		}
	}
}

// visit begins the call of a hook.
func (w *world) visit(r *rand.Rand) *call {
	c := w.begin(context.WithTimeout(background, time.Duration(r.Int64N(int64(time.Second)))))
	c.tenant = fmt.Sprint("t", r.IntN(w.tenants))
	return c
}

func (w *world) destroy(th *thing) {
	w.mu.Lock()
	x := w.know(th).holder
	w.mu.Unlock()
	if x != nil {
		w.seized(x)
	}
	ctx, cancel := context.WithTimeout(background, w.config.DestroyTimeout)
	defer cancel()
	_ = w.misbehave(ctx, "destroy", w.config.DestroyTimeout)
}

func (w *world) check(ctx context.Context, th *thing) error {
	if th.ended.Load() && w.config.Reclaim.After == 0 && w.p.Stats().Revocations == 0 {
		w.t.Errorf("thing %d is checked after its end", th.id)
	}
	return w.misbehave(ctx, "check", w.config.Health.CheckTimeout)
}

func (w *world) prepare(ctx context.Context, th *thing, h pool.Handover) error {
	err := w.misbehave(ctx, "prepare", w.config.Tenancy.PrepareTimeout)
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.know(th)
	if k.holder != nil {
		w.t.Errorf("thing %d is prepared for %s while %s holds it", th.id, h.Tenant, k.holder.tenant)
	}
	k.prepared = ""
	if err == nil {
		k.prepared = h.Tenant
		k.dirty = k.dirty && !w.config.Tenancy.ResetIdle
	}
	return err
}

func (w *world) reset(ctx context.Context, th *thing) error {
	err := w.misbehave(ctx, "reset", w.config.Tenancy.ResetTimeout)
	w.mu.Lock()
	defer w.mu.Unlock()
	if k := w.know(th); err == nil {
		k.dirty = false
	}
	return err
}

func (w *world) markBad(err error) bool {
	if !w.calm.Load() {
		switch w.roll().IntN(40) {
		case 0:
			panic("MarkBad broke")
		case 1:
			runtime.Goexit()
		}
	}
	return errors.Is(err, errCondemning)
}

// know returns what is known of a thing; the caller holds the lock.
func (w *world) know(th *thing) *knowledge {
	k := w.known[th.id]
	if k == nil {
		k = &knowledge{thing: th}
		w.known[th.id] = k
	}
	return k
}

func (w *world) resize(capacity int) {
	w.mu.Lock()
	w.capacities = append(w.capacities, capacity)
	w.mu.Unlock()
	if err := w.p.Resize(capacity); err != nil {
		w.t.Error(err)
	}
}

func remove[E comparable](all []E, e E) []E {
	if i := slices.Index(all, e); i >= 0 {
		return slices.Delete(all, i, i+1)
	}
	return all
}
