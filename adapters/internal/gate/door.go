package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// DefaultMaxRetryAfter bounds what those who are turned away are told.
const DefaultMaxRetryAfter = time.Minute

// A Door lets calls through a gate.
type Door[P Permit] struct {
	gate    Gate[P]
	several Several[P] // nil if the gate grants one slot at a time
	max     time.Duration
}

// NewDoor returns a door before a gate. Nobody is told to come again later than
// after max.
func NewDoor[P Permit](g Gate[P], max time.Duration) *Door[P] {
	several, _ := g.(Several[P])
	return &Door[P]{g, several, max}
}

// CheckCost returns an error if a call may cost more than one slot and the gate does
// not grant several with one permit.
func (d *Door[P]) CheckCost(prefix string) error {
	if d.several == nil {
		return fmt.Errorf("%s.Cost is set, but a %T grants one slot at a time; a *fairshare.Semaphore grants several", prefix, d.gate)
	}
	return nil
}

// A Refusal says why a call was not let through, and what to tell the caller.
type Refusal struct {
	Tenant string

	// Own reports that a bound of the tenant's own stood in the way, its
	// MaxWaiting or its cap: others may have been let through.
	Own bool

	// Nameless reports that the call named no tenant, and the gate requires one.
	Nameless bool

	// TooLarge reports that the call costs more slots than its tenant can ever hold.
	TooLarge bool

	// Ctx is the error of the call's own context, if it was its end that ended
	// the wait.
	Ctx error

	// RetryAfter is when to come again. It is 0 if the call was cancelled or is
	// Nameless or TooLarge: time changes nothing then.
	RetryAfter time.Duration

	// Err is the error of the gate.
	Err error
}

// Enter waits for a permit on behalf of the tenant that ctx carries.
func (d *Door[P]) Enter(ctx context.Context) (P, *Refusal) {
	return d.EnterN(ctx, 1)
}

// EnterN is Enter for a call that costs n slots, where less than 1 counts as 1.
func (d *Door[P]) EnterN(ctx context.Context, n int) (p P, refusal *Refusal) {
	tenant := fairshare.TenantFrom(ctx)
	var err error
	if n > 1 {
		p, err = d.several.AcquireN(ctx, tenant, n)
	} else {
		p, err = d.gate.Acquire(ctx, tenant)
	}
	if err != nil {
		return p, d.refuse(ctx, tenant, err)
	}
	return p, nil
}

func (d *Door[P]) refuse(ctx context.Context, tenant string, err error) *Refusal {
	r := &Refusal{Tenant: tenant, Err: err, RetryAfter: unknown}
	var e *fairshare.AcquireError
	if errors.As(err, &e) {
		if over := ctx.Err(); over != nil && e.Err == over {
			r.Ctx = over
		}
		r.Nameless = e.Reason == fairshare.NoTenant
		r.TooLarge = e.Err == fairshare.ErrTooLarge
		r.Own = e.Reason == fairshare.QueueFull || e.Reason == fairshare.AtCap
		r.RetryAfter = cmp.Or(e.Estimate, e.Waited, unknown)
	}
	if r.Nameless || r.TooLarge || r.Ctx == context.Canceled {
		r.RetryAfter = 0
		return r
	}
	// Those turned away together are not to come again together.
	spread := float64(r.RetryAfter) * (1 + rand.Float64()/2)
	r.RetryAfter = min(time.Duration(spread), d.max)
	return r
}

// unknown is when to come again if nobody can tell: with the spread, within a
// second.
const unknown = 2 * time.Second / 3
