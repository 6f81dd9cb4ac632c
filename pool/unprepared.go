package pool

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// unprepared are the tenants that no resource could be prepared for. Each try
// costs resources, so their next one is put off, as builds that fail are.
type unprepared struct {
	any     atomic.Bool       // whether there are some, for those without the lock
	tenants map[string]*delay // nil while there are none
}

// A delay is how long one tenant is refused, and why.
type delay struct {
	until  time.Duration // in the time of the line
	row    int           // failures that made it longer
	err    error
	trying bool // somebody is, after it was over
}

// maxUnprepared is how many tenants are remembered.
const maxUnprepared = 1024

// unpreparedFor puts off the next try of a tenant.
func (p *Pool[T]) unpreparedFor(tenant string, err error) {
	p.line.Lock()
	defer p.line.Unlock()
	u := &p.unprepared
	if len(u.tenants) >= maxUnprepared {
		clear(u.tenants)
	}
	d := u.tenants[tenant]
	if d == nil {
		d = &delay{}
		if u.tenants == nil {
			u.tenants = make(map[string]*delay)
		}
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

// A tryToPrepare is the one Acquire of a tenant that is let through after a
// failure, until it is over.
type tryToPrepare struct {
	lock  sync.Locker
	delay *delay // nil: the tenant has had no failure
}

func (t tryToPrepare) end() {
	if t.delay != nil {
		t.lock.Lock()
		t.delay.trying = false
		t.lock.Unlock()
	}
}

// tryToPrepare begins a try, or returns the error of an Acquire that is put off.
func (p *Pool[T]) tryToPrepare(tenant string) (tryToPrepare, *AcquireError) {
	if !p.unprepared.any.Load() {
		return tryToPrepare{}, nil
	}
	p.line.Lock()
	defer p.line.Unlock()
	d := p.unprepared.tenants[tenant]
	if d == nil {
		return tryToPrepare{}, nil
	}
	if wait := d.until - p.line.NowLocked(); wait > 0 || d.trying {
		return tryToPrepare{}, p.line.ExplainLocked(tenant, &AcquireError{
			Reason: fairshare.NotPrepared, Err: d.err, Estimate: max(wait, 0),
		})
	}
	d.trying = true
	return tryToPrepare{p.line, d}, nil
}
