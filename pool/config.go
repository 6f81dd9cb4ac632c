package pool

import (
	"context"
	"log/slog"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// A Config describes a Pool. Constructor and MaxSize are required and make a
// good pool by themselves; everything else has a useful zero value. Durations that
// are set, other than Health.CheckAfter, are at least a millisecond: less is a
// number whose unit was forgotten.
type Config[T any] struct {
	// Constructor builds a resource. It runs in a goroutine of its own, on a
	// context of the pool: the end of an Acquire does not end the build,
	// BuildTimeout and Close do. An error, a panic, which becomes a *PanicError, a
	// call of runtime.Goexit and a nil interface all count as a failed build.
	Constructor func(ctx context.Context) (T, error)

	// Destructor ends a resource. It runs in a goroutine of its own; until it
	// returns the resource counts against MaxSize. A panic in it counts as a
	// return and shows in Stats. It may be called while a hook that outlasted
	// its timeout, or a holder that outlasted Reclaim.Grace, still has the
	// resource. nil means that there is nothing to do.
	Destructor func(T)

	// MaxSize is the most resources that exist at once, those being built and
	// destroyed included, between 1 and 2^31-1. It is the capacity too unless
	// Sharing.Capacity is less.
	MaxSize int

	// Sharing says who gets how much, how long one waits, and whether everybody
	// has to name a tenant. Its zero value shares equally.
	Sharing fairshare.Config

	// BuildTimeout ends the context of a Constructor, with the cause
	// ErrBuildTimeout. A Constructor that does not return then is reported as
	// hanging, and counts as failed. It keeps its place, and what it builds in
	// the end is destroyed. 0 means ten seconds.
	BuildTimeout time.Duration

	// Backoff is what happens after a build has failed.
	Backoff Backoff

	// DestroyTimeout is how long a Destructor may take before it is reported
	// as hanging, and before the tenant whose resource it is stops paying for
	// it. Its place stays taken until it returns. 0 means one minute.
	DestroyTimeout time.Duration

	Sizes   Sizes      // how many resources are kept
	Age     Age        // when they are replaced
	Health  Health[T]  // how a broken one is found out
	Tenancy Tenancy[T] // what happens between two tenants
	Guard   Guard      // mistakes of the callers
	Reclaim Reclaim    // taking back what is held too long
	Trace   Trace      // hooks to watch it all

	// Logger is told what went wrong with no caller to tell: builds that fail,
	// destructors that hang, leaks, dead-locks, revocations. nil is silent.
	Logger *slog.Logger
}

// Sizes are how many resources a pool keeps. The zero value builds them when
// they are asked for and keeps them.
type Sizes struct {
	// MinIdle is the number of resources to keep warm beyond those that are
	// leased, as far as the capacity goes. They are built in the background,
	// one at a time.
	MinIdle int

	// MaxIdle is the number of warm resources beyond which the one idle for
	// longest is destroyed. 0 means no limit.
	MaxIdle int

	// MaxConcurrentBuilds is how many Constructors may run at once, whoever
	// they are for. 0 means four at first and one more with each that succeeds,
	// until nobody needs more: about twice as many after each time that a build
	// takes.
	MaxConcurrentBuilds int
}

// Backoff is what happens after a build has failed, until one succeeds, or
// Reset, ResetGradually, Resize or Resume is called.
type Backoff struct {
	// Min is how long no build starts after the first failure. It doubles with
	// each failure that follows, and half of it is left to chance. 0 means
	// 50 ms, or Max if that is shorter.
	Min time.Duration

	// Max is the longest that it gets, and how long a build in an outage may
	// take before another may start beside it. 0 means one second, or Min if
	// that is longer.
	Max time.Duration

	// Wait has an Acquire wait during an outage, until a build succeeds or its
	// context ends. An outage is when the last build has failed and no resource
	// is alive. By default an Acquire fails at once then, with the error of the
	// last build, so that callers can answer, or try elsewhere, rather than pile
	// up; only while a build is under way that may end the outage, and has taken
	// no longer than Max, it waits for that.
	//
	// While a resource is alive an Acquire always waits: the resource may come
	// free.
	Wait bool
}

// Age is when resources are replaced for no fault of theirs. A leased one is
// never taken away for its age but retired when it returns. If MinIdle asks for
// another in its place, and there is room, that is built first.
type Age struct {
	// MaxIdleTime is for how long a resource may be idle, unless MinIdle
	// wants it. 0 means for ever.
	MaxIdleTime time.Duration

	// MaxLifetime is how old a resource may get. 0 means no limit.
	MaxLifetime time.Duration

	// MaxLifetimeJitter is the most that is added to the MaxLifetime of a
	// resource, drawn at random at its birth, so that those built together do
	// not end together.
	MaxLifetimeJitter time.Duration

	// MaxUses is how often a resource is leased. 0 means no limit.
	MaxUses int
}

// Health is how broken resources are found out, beside by those who use them.
type Health[T any] struct {
	// Check reports what is wrong with a resource. It is called before one is
	// leased that nobody has used or checked for CheckAfter. A failed check
	// costs the caller the time: it is next for another resource, and the
	// broken one is destroyed.
	Check func(ctx context.Context, resource T) error

	// CheckAfter is for how long a resource is trusted. 0 means 500 ms.
	CheckAfter time.Duration

	// CheckTimeout ends the context of a Check. 0 means five seconds.
	CheckTimeout time.Duration

	// KeepAlive is the period after which an idle resource is checked in the
	// background, one at a time. 0 means never.
	KeepAlive time.Duration

	// MarkBad reports whether an error condemns every resource alive, such as
	// that of a server that has failed over; then it is as if Reset had been
	// called. It is asked about the errors of Check, Prepare and Tenancy.Reset
	// and those that functions given to Do return, for resources that are not
	// condemned already; with PrepareInline not about that of a Prepare whose
	// caller has given up, which may be the reason.
	MarkBad func(err error) bool
}

// Tenancy is what happens to a resource between two tenants.
type Tenancy[T any] struct {
	// Prepare makes a resource ready for a lease. It is called each time that
	// one is handed out, whether it is new or not, before Acquire returns. If
	// it fails the resource is destroyed and the caller served with another,
	// up to three times, the last of them a new one. If that fails too, an
	// Acquire of the tenant fails at once for a while, see Config.Backoff.
	Prepare func(ctx context.Context, resource T, h Handover) error

	// PrepareInline has Prepare run in the caller's goroutine, which saves the
	// time of going to another and back, and on a context that ends with the
	// caller's too. It is for a Prepare that takes less than a millisecond or
	// heeds its context: a caller that gives up has to wait until it returns,
	// and one that fails for that costs the resource, as any that fails.
	PrepareInline bool

	// Reset is called after each lease, off the caller's path. Meanwhile the
	// resource is out of use, and its tenant is charged for it. If it fails
	// the resource is destroyed.
	Reset func(ctx context.Context, resource T) error

	// ResetIdle says that a Prepare leaves nothing of what a Reset would have
	// removed. So a resource that somebody waits for goes to the next tenant
	// with a Prepare alone, and there is a Reset only of those that would
	// become idle otherwise.
	ResetIdle bool

	// PrepareTimeout and ResetTimeout end the contexts of the two. 0 means
	// five seconds.
	PrepareTimeout time.Duration
	ResetTimeout   time.Duration

	// OwnFirst has a tenant get the idle resource that it had last itself before
	// the one that anybody had last. It is for a Prepare that has less to do
	// then, see Handover.Previous, or a resource that remembers its tenant. It
	// keeps more resources from growing idle than are needed at once.
	OwnFirst bool

	// Isolation is Shared unless it says Dedicated.
	Isolation Isolation
}

// An Isolation says whether a resource may serve several tenants.
type Isolation int

const (
	// Shared resources serve whoever is next, the most recently used one first.
	Shared Isolation = iota
	// Dedicated resources serve no tenant but their first. When there is no
	// room for another, the one idle for longest is destroyed to make some.
	// Who is next is decided as ever.
	Dedicated
)

// A Handover tells Prepare who gets a resource.
type Handover struct {
	Tenant   string
	Previous string // the tenant that had it last, "" for a fresh one
	Fresh    bool   // nobody has had it yet
}

// Guard finds mistakes of the callers. All of it is off by default.
type Guard struct {
	// LeakAfter is how long a lease may last before it is reported, through
	// Trace.Leak and Logger, with the stack that acquired it; and again when
	// it returns. 0 means for ever.
	LeakAfter time.Duration

	// DetectLost has a lease that was never ended and that nothing refers to
	// any more be taken back once the garbage collector notices: the resource
	// is destroyed, and the loss reported.
	DetectLost bool

	// ForbidNested ends the Acquire of a caller that holds a lease of this
	// pool already, if every lease from which it could be served, within the
	// capacity, Headroom, and the tenant's Max or strict share, is held by callers
	// that wait for another: nothing would ever return. It fails with ErrNested.
	// Without it the dead-lock is reported to Trace.Nested and Logger. Who holds a
	// lease is told by the context, see Lease.Context. It knows of no other pool
	// or semaphore, in which a circle may go on. A strict share that others still
	// may change when they leave counts as no limit.
	ForbidNested bool
}

// Reclaim takes resources back from those who hold more than their share.
type Reclaim struct {
	// After is how long a tenant below its share waits before a lease of the
	// tenant furthest above its own is revoked: the youngest, and only once it
	// has lasted for After itself. 0 means for ever.
	//
	// Where tenants outnumber slots, they take turns, and a tenant may lose its
	// only lease. Each time that it does, its next ones are left alone for twice
	// as long, so that work longer than After gets done in the end. See "Reclaim"
	// in the documentation of the package.
	After time.Duration

	// Grace is how long after a revocation the holder has to return the lease
	// before the Destructor is called all the same. 0 means ten seconds. It
	// applies to Pool.Revoke too.
	Grace time.Duration
}
