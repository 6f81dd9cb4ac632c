package pool

import (
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// unprepared are the tenants that no resource could be prepared for. Each try
// costs resources, so their next one is put off, like a build after one failed.
type unprepared struct {
	any     atomic.Bool       // whether there are some, for those without the lock
	tenants map[string]*delay // nil while there are none
}

// A delay is how long one tenant is refused, and why.
type delay struct {
	until time.Duration // in the time of the line
	row   int           // failures that made it longer
	err   error
	trial bool // after that, one Acquire tries, and others of the tenant are refused
}

// maxUnprepared is how many tenants are remembered.
const maxUnprepared = 1024

func (u *unprepared) forget() {
	clear(u.tenants)
	u.any.Store(false)
}

// unpreparedFor puts off the next try of a tenant.
func (p *Pool[T]) unpreparedFor(tenant string, err error) {
	p.line.Lock()
	defer p.line.Unlock()
	u := &p.unprepared
	d := u.tenants[tenant]
	if d == nil {
		if u.tenants == nil || len(u.tenants) >= maxUnprepared {
			u.tenants = make(map[string]*delay)
		}
		d = &delay{}
		u.tenants[tenant] = d
	}
	var pause time.Duration
	pause, d.row = p.config.Backoff.pause(d.row)
	d.until, d.err = p.line.NowLocked()+pause, err
	u.any.Store(true)
}

// preparedFor forgets the failures of a tenant.
func (p *Pool[T]) preparedFor(tenant string) {
	if !p.unprepared.any.Load() {
		return
	}
	p.line.Lock()
	defer p.line.Unlock()
	delete(p.unprepared.tenants, tenant)
	p.unprepared.any.Store(len(p.unprepared.tenants) > 0)
}

// putOff returns the error of an Acquire whose tenant is refused for now.
func (p *Pool[T]) putOff(tenant string) *AcquireError {
	if !p.unprepared.any.Load() {
		return nil
	}
	p.line.Lock()
	defer p.line.Unlock()
	return p.putOffLocked(tenant, p.unprepared.tenants[tenant], p.line.NowLocked())
}

func (p *Pool[T]) putOffLocked(tenant string, d *delay, since time.Duration) *AcquireError {
	now := p.line.NowLocked()
	if d == nil || d.until <= now && !d.trial {
		return nil
	}
	p.line.EndLocked(tenant, d.err)
	return p.line.ExplainLocked(tenant, &AcquireError{
		Reason: fairshare.NotPrepared, Err: d.err, Waited: now - since, Estimate: max(0, d.until-now),
	})
}

// A trial is the Acquire that finds out whether resources can be prepared for a
// tenant again. It is zero if the tenant has had no failure.
type trial struct{ delay *delay }

// tryFor is called by an Acquire that is about to prepare a resource for the first
// time. It returns the error if the tenant is refused, and else maybe a trial.
func (p *Pool[T]) tryFor(tenant string, since time.Duration) (trial, *AcquireError) {
	if !p.unprepared.any.Load() {
		return trial{}, nil
	}
	p.line.Lock()
	defer p.line.Unlock()
	d := p.unprepared.tenants[tenant]
	if refusal := p.putOffLocked(tenant, d, since); refusal != nil || d == nil {
		return trial{}, refusal
	}
	d.trial = true
	return trial{d}, nil
}

// endTrial lets others of the tenant try.
func (p *Pool[T]) endTrial(t trial) {
	if t.delay != nil {
		p.line.Lock()
		t.delay.trial = false
		p.line.Unlock()
	}
}
