package pool

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// AcquireN is Acquire for n resources, 1 or more: it returns all of them or none.
// Each lease ends on its own. A request of more than the tenant can ever hold
// fails with ErrTooLarge, at once or as soon as a change of the capacity or of its share
// makes it so; AcquireError.Reason says which limit it is.
//
// It waits like any other Acquire, holds nothing while it waits, and has as
// many resources built as are missing. When it is its turn, the resources that come free
// are kept for it until there are enough; package sched says for how long. The
// tenant pays for that time as if it held them.
func (p *Pool[T]) AcquireN(ctx context.Context, tenant string, n int) ([]Lease[T], error) {
	if n < 1 {
		return nil, fmt.Errorf("pool: AcquireN of %d resources, must be at least 1", n)
	}
	if tenant == "" {
		tenant = fairshare.TenantFrom(ctx)
	}
	if p.attended {
		return p.attendN(ctx, tenant, n)
	}
	grants, err := p.line.AcquireN(ctx, tenant, n)
	return p.leases(grants, tenant), err
}

// leases makes the leases of grants that were given together.
func (p *Pool[T]) leases(grants []fairshare.Grant, tenant string) []Lease[T] {
	if grants == nil {
		return nil
	}
	all := make([]Lease[T], len(grants))
	for i, g := range grants {
		all[i] = p.lease(g, tenant)
	}
	return all
}

// attendN is attend for several resources.
func (p *Pool[T]) attendN(ctx context.Context, tenant string, n int) (all []Lease[T], err error) {
	trace := &p.config.Trace
	began := p.line.Now()
	ctx = p.reports.started(ctx, trace.AcquireStart, Event{Tenant: tenant})
	var grants []fairshare.Grant
	delivered := false
	defer func() {
		if !delivered { // a hook called Goexit
			releaseAll(grants)
		}
	}()
	grants, err = p.holdN(ctx, tenant, n)
	all = p.leases(grants, tenant)
	if trace.AcquireDone != nil {
		e := Event{Tenant: tenant, Took: p.line.Now() - began, Err: err}
		if len(grants) > 0 {
			if s := p.owner(grants[0]); s != nil {
				e.Resource = s.number
			}
		}
		p.reports.done(ctx, trace.AcquireDone, e)
	}
	delivered = true
	return all, err
}

// holdN gets n slots and makes them ready for the tenant.
func (p *Pool[T]) holdN(ctx context.Context, tenant string, n int) ([]fairshare.Grant, error) {
	since := p.line.Now()
	if refusal := p.putOff(tenant); refusal != nil {
		return nil, refusal
	}
	grants, err := p.askN(ctx, tenant, n)
	if err != nil || p.config.Health.Check == nil && p.config.Tenancy.Prepare == nil {
		return grants, err
	}
	trial, refusal := p.tryFor(tenant, since)
	if refusal != nil {
		releaseAll(grants)
		return nil, refusal
	}
	defer p.endTrial(trial)
	return p.fitAll(ctx, tenant, since, grants)
}

// askN waits for n slots, and those who look for dead-locks know of it.
func (p *Pool[T]) askN(ctx context.Context, tenant string, n int) ([]fairshare.Grant, error) {
	if p.nested {
		leave, err := p.enterNested(ctx, tenant, n)
		if err != nil {
			return nil, err
		}
		if leave != nil {
			defer leave()
		}
	}
	return p.line.AcquireN(ctx, tenant, n)
}

// fitAll makes the resources of all grants ready, at the same time unless Prepare
// runs in the caller's goroutine. If one cannot be had, none is.
func (p *Pool[T]) fitAll(ctx context.Context, tenant string, since time.Duration, grants []fairshare.Grant) ([]fairshare.Grant, error) {
	type result struct {
		grant fairshare.Grant
		err   error
	}
	results := make([]result, len(grants))
	done := false
	defer func() {
		if done {
			return
		}
		for _, r := range results {
			r.grant.Release()
		}
		releaseAll(grants) // those that were not seen to
	}()
	var hooks sync.WaitGroup
	for i, g := range grants {
		results[i].err = errHookExited
		fit := func() {
			fitted, err := p.fit(ctx, tenant, since, g)
			results[i] = result{fitted, err}
		}
		if p.config.Tenancy.PrepareInline {
			fit()
		} else {
			hooks.Go(fit)
		}
	}
	hooks.Wait()
	for i, r := range results {
		switch r.err {
		case nil:
			grants[i] = r.grant
		case errHookExited:
			runtime.Goexit() // as the hook wanted it
		default:
			return nil, r.err
		}
	}
	done = true
	return grants, nil
}

// errHookExited stands for a hook that has ended its goroutine.
var errHookExited = errors.New("pool: a hook called runtime.Goexit")

func releaseAll(grants []fairshare.Grant) {
	for _, g := range grants {
		g.Release()
	}
}
