package pool

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/puddle/v2"
)

// Errors of an Acquire, and the one by which a function given to Do condemns
// its resource.
var (
	ErrClosed      = fairshare.ErrClosed
	ErrQueueFull   = fairshare.ErrQueueFull
	ErrBadResource = errors.New("pool: bad resource")
)

// An AcquireError says why Acquire returned without a resource.
type AcquireError = fairshare.AcquireError

// A Pool owns resources and leases them to tenants. All its methods may be
// called from any goroutine.
type Pool[T any] struct {
	config Config[T]
	line   *fairshare.Line // its lock guards what follows
	epoch  uint64          // slots of an earlier one are retired
	closed bool

	capacity int
	live     int // warm or leased
	building int
	fresh    int // those being built that are of this epoch
	dying    int
	failing  failing

	built, destroyed, hijacked uint64
	destroyFailures            uint64
	destroyErr                 error

	register *puddle.Pool[*slot[T]] // births and deaths
	parting  sync.WaitGroup         // destructors that Close waits for
	gone     chan struct{}          // closed with the last resource after Close
}

// New returns a pool that is empty: resources are built when they are asked
// for. It returns an error that names each wrong field of cfg and its value.
func New[T any](cfg Config[T]) (*Pool[T], error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	p := &Pool[T]{config: cfg, capacity: cfg.Sharing.Capacity, gone: make(chan struct{})}
	if p.line, err = fairshare.NewLine(cfg.Sharing, supply[T]{p}); err != nil {
		return nil, fmt.Errorf("pool: Config.Sharing: %w", err)
	}
	p.register, err = puddle.NewPool(&puddle.Config[*slot[T]]{
		Constructor: p.construct,
		Destructor:  p.destruct,
		MaxSize:     int32(cfg.MaxSize),
	})
	if err != nil {
		return nil, fmt.Errorf("pool: %w", err)
	}
	return p, nil
}

// Acquire waits for a resource on behalf of the tenant, "" meaning the one
// that ctx carries (see fairshare.WithTenant). It returns an *AcquireError if
// ctx ends first, the pool is closed, the tenant's queue is full, or the build
// that this call had set off fails; a ctx that is already done fails without
// waiting. The caller ends the lease with Release, Destroy or Hijack.
func (p *Pool[T]) Acquire(ctx context.Context, tenant string) (Lease[T], error) {
	g, err := p.line.Acquire(ctx, tenant)
	return Lease[T]{g}, err
}

// TryAcquire leases a warm resource if there is one that the tenant may have
// now; "" means the anonymous tenant. For want of a warm one it starts a build,
// for a later call or whoever is next by then.
func (p *Pool[T]) TryAcquire(tenant string) (Lease[T], bool) {
	p.line.Lock()
	defer p.line.Unlock()
	if g, ok := p.line.TryAcquireLocked(tenant); ok {
		return Lease[T]{g}, true
	}
	if p.line.ReadyLocked() == 0 && p.fresh <= p.line.DemandLocked() && p.line.EligibleLocked(tenant) {
		p.buildLocked(fairshare.Request{})
	}
	return Lease[T]{}, false
}

// Do acquires a resource, calls fn with it and releases it. If fn panics or
// returns an error that wraps ErrBadResource, the resource is destroyed. Do
// returns the error of Acquire or of fn.
func (p *Pool[T]) Do(ctx context.Context, tenant string, fn func(context.Context, T) error) (err error) {
	l, err := p.Acquire(ctx, tenant)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if !returned || errors.Is(err, ErrBadResource) {
			l.Destroy()
		} else {
			l.Release()
		}
	}()
	err = fn(ctx, l.Value())
	returned = true
	return err
}

// Join makes the tenant present until Leave: it counts as active for strict
// shares also while it neither holds nor waits.
func (p *Pool[T]) Join(tenant string) *Tenant[T] {
	return &Tenant[T]{p.line.Join(tenant)}
}

// A Tenant is a tenant that has joined a Pool.
type Tenant[T any] struct {
	member *fairshare.Member
}

// Acquire is Pool.Acquire for this tenant, without looking up its name.
func (t *Tenant[T]) Acquire(ctx context.Context) (Lease[T], error) {
	g, err := t.member.Acquire(ctx)
	return Lease[T]{g}, err
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
	p.line.ResizeLocked(capacity)
	p.retireWarmLocked(p.overLocked, nil)
	return nil
}

// Reset replaces every resource that is alive now: the warm ones at once, the
// leased ones on return, those being built when they are ready.
func (p *Pool[T]) Reset() {
	p.line.Lock()
	defer p.line.Unlock()
	p.epoch++
	p.fresh = 0
	p.retireWarmLocked(always, nil)
	p.line.DispatchLocked()
}

// Tenants yields the tenants that are known, by name, as they are when the
// loop begins: the active ones and the departed ones still remembered.
func (p *Pool[T]) Tenants() iter.Seq2[string, fairshare.TenantStats] { return p.line.Tenants() }
