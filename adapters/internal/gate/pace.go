package gate

import (
	"maps"
	"sync"
	"time"
)

const (
	// maxPaces is for how many tenants that do not wait the pace is remembered,
	// and maxName how long their names are: clients may have chosen them.
	maxPaces = 4096
	maxName  = 256
)

// paces are the paces at which the queues of the tenants drain.
type paces struct {
	mu   sync.Mutex
	of   map[string]pace
	most int // so many before some are forgotten
}

// A pace is that of one tenant.
type pace struct {
	waiting int           // requests of the tenant
	head    time.Time     // since when the first of them is the first
	last    time.Time     // when one was served
	mean    time.Duration // for which they are the first
}

// arrived notes a request that waits from now on, until left.
func (p *paces) arrived(tenant string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, known := p.of[tenant]
	if !known {
		p.makeRoomLocked()
	}
	t.waiting++
	if t.waiting == 1 {
		t.head = now
	}
	p.of[tenant] = t
}

// left notes that a request waits no longer, and whether it was served.
func (p *paces) left(tenant string, served bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.of[tenant]
	t.waiting--
	if served {
		first := max(now.Sub(t.head), 0) // negative if overtaken on the way to the lock
		if t.last.IsZero() {
			t.mean = first
		}
		t.mean += (first - t.mean) / 8
		t.head, t.last = now, now
	}
	if t.waiting == 0 && len(tenant) > maxName {
		delete(p.of, tenant)
		return
	}
	p.of[tenant] = t
}

// wait returns how long it takes until n requests of the tenant, and one more,
// are served; 0 if none ever was.
func (p *paces) wait(tenant string, n int, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.of[tenant]
	if t.last.IsZero() {
		return 0
	}
	next := t.mean
	if t.waiting > 0 { // if that is long already, the pace is not what it was
		next = max(next, now.Sub(t.head))
	}
	return time.Duration(n)*t.mean + next
}

// makeRoomLocked forgets tenants that do not wait when there are too many: those
// served before the middle of the time in which they were, which makes it rare.
func (p *paces) makeRoomLocked() {
	if p.of == nil {
		p.of, p.most = make(map[string]pace), maxPaces
	}
	if len(p.of) < p.most {
		return
	}
	var oldest, newest time.Time
	for _, t := range p.of {
		if oldest.IsZero() || t.last.Before(oldest) {
			oldest = t.last
		}
		if t.last.After(newest) {
			newest = t.last
		}
	}
	middle := oldest.Add(newest.Sub(oldest) / 2)
	maps.DeleteFunc(p.of, func(_ string, t pace) bool {
		return t.waiting == 0 && !t.last.After(middle)
	})
	p.most = max(maxPaces, 2*len(p.of)) // those that remain wait, or soon will not
}
