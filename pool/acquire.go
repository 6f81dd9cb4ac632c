package pool

import (
	"context"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// A source is where a caller gets its slot from.
type source func(ctx context.Context, tenant string) (fairshare.Grant, error)

// attend is Acquire when more than a wait may come between the caller and its
// lease: hooks, or somebody who wants to know about it.
func (p *Pool[T]) attend(ctx context.Context, tenant string, get source) (l Lease[T], err error) {
	trace := &p.config.Trace
	var began time.Duration
	if trace.AcquireDone != nil {
		began = p.line.Now()
	}
	ctx = p.reports.started(ctx, trace.AcquireStart, Event{Tenant: tenant})
	delivered := false
	defer func() {
		if !delivered { // a hook of Trace called Goexit
			l.grant.Release()
		}
	}()
	g, err := get(ctx, tenant)
	if err == nil {
		l = p.lease(g, tenant)
	}
	if trace.AcquireDone != nil {
		e := Event{Tenant: tenant, Took: p.line.Now() - began, Err: err}
		if s := p.owner(g); s != nil {
			e.Resource = s.number
		}
		p.reports.done(ctx, trace.AcquireDone, e)
	}
	delivered = true
	return l, err
}

// hold returns a source of slots from ask that have been made ready for their
// tenant, and of whose waits those who look for dead-locks know.
func (p *Pool[T]) hold(ask source) source {
	if p.nested {
		ask = p.noteNested(ask)
	}
	if p.config.Health.Check != nil || p.config.Tenancy.Prepare != nil {
		ask = p.fitted(ask)
	}
	return ask
}

// fitted returns a source that gets a slot from ask and makes its resource ready
// for the tenant.
func (p *Pool[T]) fitted(ask source) source {
	return func(ctx context.Context, tenant string) (fairshare.Grant, error) {
		since := p.line.Now()
		if refusal := p.putOff(tenant); refusal != nil {
			return fairshare.Grant{}, refusal
		}
		g, err := ask(ctx, tenant)
		if err != nil {
			return fairshare.Grant{}, err
		}
		trial, refusal := p.tryFor(tenant, since)
		if refusal != nil {
			g.Release()
			return fairshare.Grant{}, refusal
		}
		defer p.endTrial(trial)
		return p.fit(ctx, tenant, since, g)
	}
}

// fit makes the resource of a grant ready for the tenant, which asked at the given
// time. One that turns out to be unfit is destroyed; the caller is next for another.
func (p *Pool[T]) fit(ctx context.Context, tenant string, since time.Duration, g fairshare.Grant) (_ fairshare.Grant, err error) {
	for unprepared := 0; err == nil; {
		s := p.owner(g)
		if s == nil { // revoked meanwhile, and its time is up
			g, err = p.line.Retry(ctx, tenant, since, func() {})
			continue
		}
		why, fault := p.handOver(ctx, tenant, g, s)
		switch why {
		case "":
			if fault != nil { // the caller gave up; the slot is passed on
				return fairshare.Grant{}, p.inVain(tenant, contextError(ctx, p.line.Now()-since))
			}
			if g.Slot() != nil {
				p.preparedFor(tenant)
				return g, nil
			}
			continue
		case PrepareFailed:
			switch unprepared++; unprepared {
			case maxPrepares:
				p.reject(g, s, why)
				p.unpreparedFor(tenant, fault)
				return fairshare.Grant{}, p.inVain(tenant, &AcquireError{
					Reason: fairshare.NotPrepared, Err: fault, Waited: p.line.Now() - since,
				})
			case maxPrepares - 1: // the last try is with a new one
				renewed, gaveUp := p.renew(ctx, tenant, since, g, s)
				if gaveUp != nil {
					return fairshare.Grant{}, p.inVain(tenant, contextError(ctx, p.line.Now()-since))
				}
				why = "" // it is retired already
				if renewed != (fairshare.Grant{}) {
					g = renewed
					continue
				}
			}
		}
		g, err = p.line.Retry(ctx, tenant, since, func() {
			if why != "" && g.Finish() != nil {
				p.rejectLocked(s, why)
			}
		})
	}
	return fairshare.Grant{}, err
}

// inVain counts and completes the error of an Acquire that was granted a slot and
// ends without.
func (p *Pool[T]) inVain(tenant string, e *AcquireError) *AcquireError {
	p.line.Lock()
	defer p.line.Unlock()
	p.line.EndLocked(tenant, e.Err)
	return p.line.ExplainLocked(tenant, e)
}

// maxPrepares is how many resources one Acquire may wreck by failing to prepare
// them.
const maxPrepares = 3

// rejectLocked retires a slot that was unfit for the tenant that it was granted
// to. A tenant pays for what its Prepare has wrecked, not for what was broken.
func (p *Pool[T]) rejectLocked(s *slot[T], why Retirement) {
	tenant := s.TenantLocked() // another may be billed
	if why == PrepareFailed {
		p.billLocked(s, why)
	} else {
		p.line.ReleaseLocked(&s.Slot)
	}
	p.retireLocked(s, why)
	p.suspectOthersLocked(s, tenant, why)
}

// reject ends a grant whose resource was unfit for the tenant.
func (p *Pool[T]) reject(g fairshare.Grant, s *slot[T], why Retirement) {
	if g.Finish() == nil {
		return
	}
	p.line.Lock()
	defer p.line.Unlock()
	p.rejectLocked(s, why)
	p.balanceLocked()
}

// handOver checks the resource of a slot that was just granted, if it was idle
// for long, and prepares it for the tenant. It returns why the resource is
// unfit, and the fault found; or an error alone if the caller's ctx ended
// first, and then the slot is seen to.
func (p *Pool[T]) handOver(ctx context.Context, tenant string, g fairshare.Grant, s *slot[T]) (why Retirement, err error) {
	if p.config.Health.Check != nil && s.doubtful {
		why, err = p.await(ctx, g, CheckFailed, p.newCall(ctx, checking, s, Handover{Tenant: tenant}))
		if err != nil {
			return why, err
		}
	}
	if p.config.Tenancy.Prepare != nil {
		h := Handover{Tenant: tenant, Previous: s.previous, Fresh: !s.prepared}
		if p.config.Tenancy.PrepareInline {
			return p.prepareInline(ctx, g, s, h)
		}
		return p.await(ctx, g, PrepareFailed, p.newCall(ctx, preparing, s, h))
	}
	return "", nil
}

// await begins a call on behalf of a caller and waits for its end. It returns
// why and the error if the call fails. If the caller gives up, it returns the
// error of ctx alone; then the call goes on without the caller, and the slot is
// passed on when it is over.
func (p *Pool[T]) await(ctx context.Context, g fairshare.Grant, why Retirement, c *call[T]) (Retirement, error) {
	c.begin()
	select {
	case err := <-c.result:
		if err == nil {
			return "", nil
		}
		p.judge(c.slot, err)
		return why, err
	case <-ctx.Done():
	}
	go func() {
		if err := <-c.result; err != nil {
			p.judge(c.slot, err)
			p.reject(g, c.slot, why)
			return
		}
		g.Release()
	}()
	return "", ctx.Err()
}

// prepareInline prepares in the caller's goroutine. It returns what await does.
func (p *Pool[T]) prepareInline(ctx context.Context, g fairshare.Grant, s *slot[T], h Handover) (why Retirement, err error) {
	if err := ctx.Err(); err != nil { // a Prepare would fail, and cost the resource
		g.Release()
		return "", err
	}
	returned := false
	defer func() {
		if !returned { // Goexit, which ends the caller
			p.reject(g, s, PrepareFailed)
		}
	}()
	err = p.newCall(ctx, preparing, s, h).runInline()
	returned = true
	switch gaveUp := ctx.Err(); {
	case gaveUp == nil && err == nil:
		return "", nil
	case gaveUp == nil:
		p.judge(s, err)
		return PrepareFailed, err
	case err == nil:
		g.Release()
	default: // perhaps for the end of ctx alone, which condemns nothing
		p.reject(g, s, PrepareFailed)
	}
	return "", ctx.Err()
}

// contextError is the error of a caller that gave up while hooks ran.
func contextError(ctx context.Context, waited time.Duration) *AcquireError {
	e := &AcquireError{Reason: fairshare.NotPrepared, Err: ctx.Err(), Waited: waited}
	if cause := context.Cause(ctx); cause != e.Err {
		e.Cause = cause
	}
	return e
}

// judge asks whether an error, met with the resource of s, condemns all.
func (p *Pool[T]) judge(s *slot[T], err error) {
	bad := p.config.Health.MarkBad
	if bad == nil || err == nil || s == nil {
		return
	}
	condemned := false
	fault := protect("MarkBad", func() error {
		condemned = bad(returnedError(err))
		return nil
	})
	if fault != nil {
		p.reports.log("hook failed", "hook", "MarkBad", "error", fault)
	}
	if fault != nil || !condemned {
		return
	}
	p.line.Lock()
	defer p.line.Unlock()
	if s.epoch == p.epoch {
		p.condemned++
		p.reports.log("every resource is condemned", "error", err)
		p.resetLocked(false)
	}
}
