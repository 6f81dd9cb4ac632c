package fairshare

import (
	"errors"
	"time"
)

// Errors that an AcquireError unwraps to, beside those of a context.
var (
	ErrClosed         = errors.New("fairshare: closed")
	ErrQueueFull      = errors.New("fairshare: queue full")
	ErrAcquireTimeout = errors.New("fairshare: waited for the whole AcquireTimeout")
	ErrLate           = errors.New("fairshare: the wait would outlast the deadline")
	ErrTooLarge       = errors.New("fairshare: more slots than the tenant can ever hold")
	ErrNoTenant       = errors.New("fairshare: no tenant is named, and RequireTenant is set")
)

// A Reason says what stood between a tenant and a slot.
type Reason string

const (
	BeforeWaiting Reason = "not waited for"      // the context was done on entry
	NoTenant      Reason = "no tenant"           // Config.RequireTenant
	Closed        Reason = "closed"              // no slots are handed out any more
	QueueFull     Reason = "queue full"          // the tenant is at its Share.MaxWaiting
	LineFull      Reason = "all queues full"     // Config.MaxWaiting, of all tenants together
	AtCap         Reason = "tenant at its cap"   // Share.Max, or its strict share
	Saturated     Reason = "all slots in use"    // see AcquireError.Holders
	TooFew        Reason = "too few slots free"  // for a request of several
	Collected     Reason = "free slots kept"     // for a request of several, whose turn it is
	Reserved      Reason = "last slots reserved" // Config.Headroom
	OverCapacity  Reason = "over the capacity"   // more slots than there are
	OverMax       Reason = "over Share.Max"      //
	OverShare     Reason = "over its share"      // the strict one of a tenant that is alone
	Building      Reason = "no resource ready"   // a pool is building one
	BuildFailing  Reason = "constructor failing" // see AcquireError.BuildErr
	NotPrepared   Reason = "not prepared"        // the hooks of a pool did not end, or failed
	Suspended     Reason = "suspended"           // until it is resumed
	HandedOver    Reason = "granted too late"    // the context was done when the slot arrived
)

// An AcquireError says why Acquire returned without a slot, with the figures
// of that moment.
type AcquireError struct {
	Tenant string
	Reason Reason
	Waited time.Duration

	Slots    int // that were asked for, if it was more than one
	Held     int // slots that the tenant held
	Waiting  int // its other waiters
	Cap      int // most slots that it might hold, 0: no cap
	InUse    int // slots in use by all tenants
	Capacity int

	// Holders are the tenants that held most, at most three, not older than
	// 100 ms. The slice is shared: do not change it.
	Holders []Holding

	// Estimate is how long one more request of the tenant was expected to wait
	// then, which is when it makes sense to ask again. 0 means that nobody can
	// tell: a slot was free, none has been released yet, or slots are not handed
	// out at all.
	Estimate time.Duration

	// Err is ErrClosed, ErrQueueFull, ErrAcquireTimeout, ErrLate, ErrNoTenant, the
	// error of the context, or that of the constructor or the hook of a pool to which
	// it is due.
	Err error
	// Cause is the context's cause where it says more than Err.
	Cause error
	// BuildErr is the last error of a failing constructor.
	BuildErr error

	owner string // the package that the caller uses, "" for this one
}

// A Holding is a tenant and the number of slots that it holds.
type Holding struct {
	Tenant string
	Held   int
}

// Unwrap lets errors.Is and errors.As find Err, Cause and BuildErr.
func (e *AcquireError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Err, e.Cause, e.BuildErr} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
