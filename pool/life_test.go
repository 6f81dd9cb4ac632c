package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A life is the simulation of one pool in virtual time. Its driver does one
// thing at a time, lets everything come to rest, and checks what must hold; see
// world for the pool that it does it to.
type life struct {
	*world
	r      *rand.Rand // of the driver
	load   int
	steps  int
	lived  time.Duration // apart from the quiet times
	events []string      // the latest, for the report of a failure

	suspended bool
	before    *snapshot // of the check before
	lastBuild time.Time // when a build was seen to have started last
	builds    int
}

// lifeSeeds each make another configuration, and are run for lifeTime.
var lifeSeeds = []uint64{
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
}

const lifeTime = 420 * time.Second

// Invariants 1 to 4, 7 and 8 in a pool with any features, whose constructor,
// destructor and hooks fail in every way there is, under callers and operators
// who do everything that the pool lets them do.
func TestNothingIsLostOrSharedInALongLife(t *testing.T) {
	seeds := append(slices.Clone(lifeSeeds), newSeed(t))
	if *seedFlag != 0 {
		seeds = seeds[len(seeds)-1:]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newLife(t, seed).run() })
		})
	}
}

func newLife(t *testing.T, seed uint64) *life {
	l := &life{world: newWorld(t, seed), r: rand.New(rand.NewPCG(seed, 0))}
	l.load = 25 + l.r.IntN(30)
	l.lastBuild = time.Now()
	return l
}

func (l *life) run() {
	for quiet := time.Duration(0); l.lived < lifeTime && !l.t.Failed(); {
		l.step()
		if l.lived-quiet > time.Minute {
			l.quiesce()
			quiet = l.lived
		}
	}
	if l.r.IntN(2) == 0 { // else it is shut down in the middle
		l.quiesce()
	}
	l.closing()
	stats := l.p.Stats()
	l.t.Logf("%d steps, %d grants, %d builds, %d failed, %d waits in vain, retired %v",
		l.steps, l.grants.Load(), stats.Built, stats.BuildFailures, stats.Canceled, stats.Retired)
	if l.t.Failed() {
		l.t.Logf("configuration: %s", l.description)
		for _, e := range l.events {
			l.t.Log(e)
		}
	}
}

// step does one thing, and lets time pass every other time.
func (l *life) step() {
	l.steps++
	l.act()
	l.rest()
	if d := l.pause(); d >= 0 && !l.t.Failed() {
		time.Sleep(d)
		l.lived += d
		l.note("%v later", d)
		l.rest()
	}
}

// rest lets everything happen that happens without time.
func (l *life) rest() {
	synctest.Wait()
	l.check()
}

func (l *life) pause() time.Duration {
	switch n := l.r.IntN(100); {
	case n < 50:
		return -1
	case n < 65:
		return 1
	case n < 85:
		return time.Duration(l.r.Int64N(int64(20 * time.Millisecond)))
	case n < 98:
		return time.Duration(l.r.Int64N(int64(300 * time.Millisecond)))
	}
	return time.Duration(l.r.Int64N(int64(4 * time.Second)))
}

func (l *life) note(format string, args ...any) {
	if len(l.events) == 40 {
		l.events = l.events[1:]
	}
	l.events = append(l.events, fmt.Sprintf("%d: ", l.steps)+fmt.Sprintf(format, args...))
}

func (l *life) tenant() string { return fmt.Sprint("t", l.r.IntN(l.tenants)) }

func (l *life) act() {
	n := l.r.IntN(100)
	switch {
	case n < l.load:
		l.call()
	case n < 80:
		l.end()
	case n < 85:
		l.cancel()
	case n < 88:
		l.reviveStale()
	default:
		l.operate()
	}
}

// call has somebody ask for a resource, in one of the ways to do so.
func (l *life) call() {
	tenant := l.tenant()
	if l.underWay() > 40 {
		return
	}
	c := l.begin(l.context())
	c.tenant = tenant
	switch n := l.r.IntN(20); {
	case n < 2:
		l.note("TryAcquire %s", tenant)
		go c.tryAcquire()
	case n < 5:
		l.note("Do %s", tenant)
		go c.do(l.roll(), 2)
	case n < 7:
		member := l.p.Join(tenant)
		l.note("Join and Acquire %s", tenant)
		go func() {
			c.acquire(func() (pool.Lease[*thing], error) { return member.Acquire(c.ctx) })
			member.Leave()
			member.Leave()
		}()
	case n < 10:
		l.nest(c)
	default:
		l.note("Acquire %s", tenant)
		if l.r.IntN(10) == 0 {
			c.ctx, tenant = fairshare.WithTenant(c.ctx, tenant), ""
		}
		go c.acquire(func() (pool.Lease[*thing], error) { return l.p.Acquire(c.ctx, tenant) })
	}
}

// nest has the holder of a lease ask for another.
func (l *life) nest(c *call) {
	outer := l.pick()
	if outer == nil {
		c.over()
		return
	}
	l.note("nested Acquire %s", c.tenant)
	inherited, cancel := outer.lease.Context(context.WithoutCancel(outer.ctx))
	stop := context.AfterFunc(c.ctx, cancel)
	c.ctx = inherited
	go func() {
		defer stop()
		defer cancel()
		c.acquire(func() (pool.Lease[*thing], error) { return l.p.Acquire(c.ctx, c.tenant) })
	}()
}

// context returns the context of a caller: some never end by themselves.
func (l *life) context() (context.Context, context.CancelFunc) {
	switch n := l.r.IntN(20); {
	case n == 0:
		ctx, cancel := context.WithCancelCause(background)
		cancel(errors.New("changed my mind"))
		return ctx, func() {}
	case n < 4:
		return context.WithCancel(background)
	case n < 8:
		return context.WithTimeout(background, time.Duration(l.r.Int64N(int64(100*time.Millisecond))))
	}
	return context.WithTimeout(background, time.Duration(l.r.Int64N(int64(6*time.Second))))
}

// end ends some lease, in one of the ways to do so.
func (l *life) end() {
	x := l.pick()
	if x == nil {
		return
	}
	l.note("end of %s's lease of thing %d", x.tenant, x.thing.id)
	n := l.r.IntN(20)
	go l.finish(x, func() {
		switch n {
		case 0, 1:
			x.lease.Destroy()
		case 2:
			l.hijack(x)
		case 3:
			x.lease.Release()
			x.lease.Release()
		case 4:
			x.lease.Destroy()
			x.lease.Release()
		case 5:
			var both sync.WaitGroup
			both.Go(x.lease.Release)
			both.Go(x.lease.Destroy)
			both.Wait()
		default:
			x.lease.Release()
		}
	})
}

func (l *life) cancel() {
	if c := l.pickCall(); c != nil {
		l.note("cancel of a call of %s", c.tenant)
		c.cancel()
	}
}

// reviveStale uses a lease that has ended, which must change nothing: invariant
// 8.
func (l *life) reviveStale() {
	old, ok := l.pickStale()
	if !ok {
		return
	}
	l.note("use of a stale lease")
	before := l.p.Stats()
	old.Release()
	old.Destroy()
	require.Panics(l.t, func() { old.Value() })
	require.Panics(l.t, func() { old.Hijack() })
	require.Empty(l.t, old.Tenant())
	<-old.Revoked()
	ctx, cancel := old.Context(background)
	<-ctx.Done()
	cancel()
	synctest.Wait()
	require.Equal(l.t, before, l.p.Stats(), "a stale lease changed something")
}

// operate changes the pool under its callers.
func (l *life) operate() {
	if l.suspended && l.r.IntN(3) == 0 {
		l.note("Resume")
		l.suspended = false
		l.p.Resume()
		return
	}
	switch l.r.IntN(14) {
	case 0:
		l.note("Reset")
		l.p.Reset()
	case 1, 2:
		l.note("ResetGradually")
		l.p.ResetGradually()
	case 3:
		l.note("Suspend")
		l.suspended = true
		l.p.Suspend()
	case 4:
		n := l.r.IntN(l.size + 1)
		l.note("Resize %d", n)
		l.resize(n)
	case 5, 6, 7:
		l.note("Resize back")
		l.resize(l.size)
	case 8, 9, 10:
		l.setShare()
	case 11:
		victim := l.tenant()
		n := l.p.Revoke(errors.New("wanted elsewhere"), func(h pool.Holder) bool { return h.Tenant == victim })
		l.note("Revoke %d of %s", n, victim)
	case 12:
		l.note("Warm")
		c := l.begin(context.WithTimeout(background, 2*time.Second))
		go func() {
			defer c.over()
			c.warming.Store(true)
			_ = l.p.Warm(c.ctx)
		}()
	case 13:
		l.callBack(l.r, false)
	}
}

func (l *life) setShare() {
	share := fairshare.Share{Weight: 0.1 + 3*l.r.Float64(), MaxWaiting: l.r.IntN(30)}
	if l.r.IntN(2) == 0 {
		share.Max = l.r.IntN(4)
	}
	if l.r.IntN(4) == 0 {
		share.Min = l.r.IntN(2)
	}
	tenant := l.tenant()
	l.note("SetShare %s %+v", tenant, share)
	err := l.p.SetShare(tenant, share)
	if share.Min == 0 {
		require.NoError(l.t, err)
	}
}
