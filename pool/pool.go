package pool

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/puddle/v2"
)

// Errors of an Acquire, and the one by which a function given to Do condemns
// its resource.
var (
	ErrClosed         = fairshare.ErrClosed
	ErrQueueFull      = fairshare.ErrQueueFull
	ErrAcquireTimeout = fairshare.ErrAcquireTimeout
	ErrLate           = fairshare.ErrLate
	ErrTooLarge       = fairshare.ErrTooLarge
	ErrNoTenant       = fairshare.ErrNoTenant
	ErrBadResource    = errors.New("pool: bad resource")
)

// An AcquireError says why Acquire returned without a resource.
type AcquireError = fairshare.AcquireError

// A Pool owns resources and leases them to tenants. All its methods may be
// called from any goroutine.
type Pool[T any] struct {
	config   Config[T]
	attended bool   // more comes between a caller and its lease than a wait
	recorded bool   // where leases come from is remembered
	nested   bool   // somebody wants to know of nested Acquires
	timed    bool   // the line always knows the time
	ages     bool   // idle resources have to be looked after
	watching bool   // the line is watched for good
	source   source // of slots, when attended

	ctx       context.Context // of the hooks, ends with the pool
	cancel    func()
	reports   reports
	hooks     [hookKinds]hook
	watchdog  watchdog[T]
	token     token           // of leases whose end is told, and no more
	numbers   atomic.Uint64   // of resources
	line      *fairshare.Line // its lock guards what follows
	closed    bool
	suspended bool

	capacity   int
	live       int // warm, leased, resetting or checking
	resetting  int
	checks     int        // goroutines that check idle resources
	unchecked  []*slot[T] // to be checked by them
	checking   int
	building   int // Constructors running
	outdated   int // those of building that are of an earlier epoch
	slow       int // those of building that others may start in the stead of
	stuck      int // those of slow that outlasted BuildTimeout
	ramp       int // how many builds may run at once by default
	filling    int // those of building that are for MinIdle
	fresh      int // those of building that are of this epoch and not slow
	dying      int
	hanging    int // those of dying that outlasted DestroyTimeout
	warming    int // calls of Warm
	failing    failing
	unprepared unprepared
	blame      blame
	alarm      alarm
	news       news

	epoch   uint64   // slots of an earlier one are to be replaced
	stale   int      // those of them that are live
	gradual bool     // one after the other
	rolling *slot[T] // the one whose turn it is

	totals
	register *puddle.Pool[*slot[T]] // births and deaths
	parting  sync.WaitGroup         // destructors that Close waits for
	gone     chan struct{}          // closed with the last resource after Close
}

// totals count since the start.
type totals struct {
	built, destroyed, hijacked uint64
	buildTime                  time.Duration
	buildMean                  time.Duration // of those that succeeded lately
	buildHangs                 uint64
	retired                    map[Retirement]uint64

	destroyFailures, destroyHangs uint64
	destroyErr                    error

	condemned, revocations, leaks, lostLeases, deadlocks uint64
}

// noRequest is that of nobody.
var noRequest fairshare.Request

// New returns a pool that is empty, unless MinIdle is set: resources are built
// when they are asked for. It returns an error that names each wrong field of
// cfg and its value.
func New[T any](cfg Config[T]) (*Pool[T], error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	p := &Pool[T]{config: cfg, capacity: cfg.Sharing.Capacity, gone: make(chan struct{})}
	p.hooks = cfg.hooks()
	p.retired = make(map[Retirement]uint64)
	p.ramp = firstBuilds
	p.reports.logger = cfg.Logger
	if p.line, err = fairshare.NewLineOf("pool", "Config.Sharing", cfg.Sharing, supply[T]{p}); err != nil {
		return nil, err
	}
	p.register, err = puddle.NewPool(&puddle.Config[*slot[T]]{
		Constructor: p.construct,
		Destructor:  p.destruct,
		MaxSize:     int32(cfg.MaxSize),
	})
	if err != nil {
		return nil, fmt.Errorf("pool: %w", err)
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.prepareFor(&p.config)
	p.line.Lock()
	defer p.line.Unlock()
	p.watchLocked()
	p.refillLocked()
	return p, nil
}

// prepareFor finds out what the configuration calls for beside leasing.
func (p *Pool[T]) prepareFor(c *Config[T]) {
	p.ages = c.Age.MaxIdleTime > 0 || c.Age.MaxLifetime > 0 || c.Health.KeepAlive > 0
	p.timed = p.ages || c.Health.Check != nil || c.Guard.LeakAfter > 0 || c.Reclaim.After > 0
	p.recorded = c.Guard.LeakAfter > 0 || c.Guard.DetectLost
	p.nested = c.Guard.ForbidNested || c.Logger != nil || c.Trace.Nested != nil
	p.attended = p.recorded || p.nested || c.Trace.AcquireStart != nil || c.Trace.AcquireDone != nil ||
		c.Trace.Release != nil || c.Health.Check != nil || c.Tenancy.Prepare != nil
	p.watching = p.timed || c.Age.MaxUses > 0 || c.Sizes.MinIdle > 0 || c.Sizes.MaxIdle > 0 ||
		c.Tenancy.Prepare != nil || c.Tenancy.Reset != nil
	p.source = p.hold(p.line.Acquire)
	if c.Health.Check != nil || c.Tenancy.Prepare != nil {
		p.line.AcceptGrants() // the hooks come first
	}
	if c.Trace.WaitStart != nil || c.Trace.WaitDone != nil {
		p.line.Witness(witness[T]{p})
	}
	if p.timed {
		p.line.Time()
	}
	if c.Tenancy.OwnFirst {
		p.line.OwnFirst()
	}
	if c.Tenancy.Isolation == Dedicated {
		p.line.Dedicate(p.comingLocked)
	}
}

// watchLocked has the line be watched for as long as anything may come next
// for a returned slot other than the next lease.
func (p *Pool[T]) watchLocked() {
	if p.watching || p.blame.active() || p.closed || p.stale > 0 || p.overLocked() {
		p.line.WatchLocked(watcher[T]{p})
	} else {
		p.line.WatchLocked(nil)
	}
}

// Acquire waits for a resource on behalf of the tenant, "" meaning the one
// that ctx carries (see fairshare.WithTenant). It returns an *AcquireError if
// ctx ends first, the pool is closed, the tenant's queue is full, no resource can
// be built (see Backoff) or prepared, or there is no name where
// Sharing.RequireTenant asks for one; a ctx that is already done fails without
// waiting. The caller ends the lease with Release, Destroy or Hijack.
func (p *Pool[T]) Acquire(ctx context.Context, tenant string) (Lease[T], error) {
	if tenant == "" {
		tenant = fairshare.TenantFrom(ctx)
	}
	if p.attended {
		return p.attend(ctx, tenant, p.source)
	}
	g, err := p.line.Acquire(ctx, tenant)
	return Lease[T]{grant: g}, err
}

// TryAcquire leases a warm resource if there is one that the tenant may have
// now; "" means the anonymous tenant, who gets nothing with Sharing.RequireTenant. For want of a warm one it starts a build,
// for a later call or whoever is next by then. It waits for nothing but the
// hooks that a lease is due; if they find the resource unfit, it gives up.
func (p *Pool[T]) TryAcquire(tenant string) (Lease[T], bool) {
	g, ok := p.tryAcquire(tenant)
	if !ok || !p.attended {
		return Lease[T]{grant: g}, ok
	}
	begun := false
	defer func() {
		if !begun { // a hook of Trace called Goexit
			g.Release()
		}
	}()
	l, err := p.attend(context.Background(), tenant, func(ctx context.Context, tenant string) (fairshare.Grant, error) {
		begun = true
		s := p.owner(g)
		if s == nil { // revoked, and taken back already
			return fairshare.Grant{}, ErrRevoked
		}
		trial, refusal := p.tryFor(tenant, p.line.Now())
		if refusal != nil {
			g.Release()
			return fairshare.Grant{}, refusal
		}
		defer p.endTrial(trial)
		why, err := p.handOver(ctx, tenant, g, s)
		if why == PrepareFailed {
			p.unpreparedFor(tenant, err)
		} else if err == nil {
			p.preparedFor(tenant)
		}
		if why != "" {
			p.reject(g, s, why)
			err = p.inVain(tenant, &AcquireError{Reason: fairshare.NotPrepared, Err: err})
		}
		return g, err
	})
	return l, err == nil
}

func (p *Pool[T]) tryAcquire(tenant string) (fairshare.Grant, bool) {
	p.line.Lock()
	defer p.line.Unlock()
	if g, ok := p.line.TryAcquireLocked(tenant); ok {
		return g, true
	}
	dedicated := p.config.Tenancy.Isolation == Dedicated
	if (p.line.ReadyLocked() == 0 || dedicated) && p.fresh <= p.line.DemandLocked() && p.line.EligibleLocked(tenant) {
		if !p.buildLocked(build[T]{}) && dedicated && p.comingLocked() <= p.line.DemandLocked() {
			p.displaceLocked()
		}
	}
	return fairshare.Grant{}, false
}

// Do acquires a resource, calls fn with it and releases it. The ctx of fn carries
// the tenant, and ends with the caller's or when the lease is asked back, see
// Lease.Context. If fn
// panics or returns an error that wraps ErrBadResource, the resource is
// destroyed. Do returns the error of Acquire or of fn.
func (p *Pool[T]) Do(ctx context.Context, tenant string, fn func(context.Context, T) error) (err error) {
	if tenant == "" {
		tenant = fairshare.TenantFrom(ctx)
	}
	l, err := p.Acquire(ctx, tenant)
	if err != nil {
		return err
	}
	why := Destroyed
	defer func() {
		if why != "" {
			l.destroy(why)
		} else {
			l.Release()
		}
	}()
	ctx, cancel := l.context(ctx, tenant)
	defer cancel()
	s := p.owner(l.grant)
	if s == nil { // revoked, and taken back already
		return fmt.Errorf("%w before its use", ErrRevoked)
	}
	err = fn(ctx, s.value)
	why = ""
	if errors.Is(err, ErrBadResource) {
		why = BadResource
	}
	p.judge(s, err)
	return err
}

// Join makes the tenant present until Leave: it counts as active for strict
// shares also while it neither holds nor waits.
func (p *Pool[T]) Join(tenant string) *Tenant[T] {
	m := p.line.Join(tenant)
	return &Tenant[T]{p, m, p.hold(func(ctx context.Context, _ string) (fairshare.Grant, error) { return m.Acquire(ctx) })}
}

// A Tenant is a tenant that has joined a Pool.
type Tenant[T any] struct {
	pool   *Pool[T]
	member *fairshare.Member
	source source // of slots, when the pool is attended
}

// Acquire is Pool.Acquire for this tenant, without looking up its name.
func (t *Tenant[T]) Acquire(ctx context.Context) (Lease[T], error) {
	if t.pool.attended {
		return t.pool.attend(ctx, t.member.Name(), t.source)
	}
	g, err := t.member.Acquire(ctx)
	return Lease[T]{grant: g}, err
}

// Leave ends the tenant's presence. Its leases stay valid and its waiters keep
// waiting. Further calls do nothing.
func (t *Tenant[T]) Leave() { t.member.Leave() }

// SetShare changes the share of a tenant from now on, also while it holds and
// waits. It returns an error, and changes nothing, if the share is invalid or
// the Mins of all named tenants would exceed the capacity.
func (p *Pool[T]) SetShare(tenant string, share fairshare.Share) error {
	return p.line.SetShare(tenant, share)
}

// Resize sets the capacity, between 0, which hands out nothing, and MaxSize.
// Leases stay; warm resources beyond the new capacity are retired at once, the
// leased ones on return.
func (p *Pool[T]) Resize(capacity int) error {
	if capacity < 0 || capacity > p.config.MaxSize {
		return fmt.Errorf("pool: capacity is %d, must be between 0 and the MaxSize of %d", capacity, p.config.MaxSize)
	}
	p.line.Lock()
	defer p.line.Unlock()
	p.capacity = capacity
	p.forgiveLocked()
	p.line.ResizeLocked(capacity)
	p.retireWarmLocked(Resized, p.overLocked, nil)
	p.watchLocked()
	p.balanceLocked()
	p.news.tell()
	return nil
}

// Tenants yields the tenants that are known, by name, as they are when the
// loop begins: the active ones and the departed ones still remembered.
func (p *Pool[T]) Tenants() iter.Seq2[string, fairshare.TenantStats] { return p.line.Tenants() }
