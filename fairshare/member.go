package fairshare

import (
	"context"
	"fmt"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// A Member is a tenant that has joined a Line. It counts as active, also while
// it neither holds nor waits, and its requests need no look-up by name.
type Member struct {
	line   *Line
	name   string
	tenant *sched.Tenant // nil once it has left; guarded by the line
}

// Join makes the tenant a member until Leave. A tenant may join several times
// and is active until it has left as often.
func (l *Line) Join(tenant string) *Member {
	l.Lock()
	defer l.Unlock()
	t := l.sched.Tenant(l.now, tenant)
	l.sched.Join(t)
	return &Member{l, tenant, t}
}

// Acquire is Line.Acquire for the member; after Leave, for the tenant of that
// name.
func (m *Member) Acquire(ctx context.Context) (Grant, error) {
	return m.line.acquire(ctx, m.name, m)
}

// Name returns the tenant's name.
func (m *Member) Name() string { return m.name }

// Leave ends the membership. Slots that the tenant holds or waits for are not
// affected. Further calls do nothing.
func (m *Member) Leave() {
	m.line.Lock()
	defer m.line.Unlock()
	if m.tenant == nil {
		return
	}
	m.line.sched.Leave(m.tenant)
	m.tenant = nil
}

// SetShare changes the share of a tenant from now on, also while it holds and
// waits. What it was charged stays. It returns an error, and changes nothing,
// if the share is invalid or the Mins of all named tenants would exceed the
// capacity.
func (l *Line) SetShare(tenant string, share Share) error {
	share, err := share.check("Share")
	if err != nil {
		return err
	}
	l.Lock()
	defer l.Unlock()
	if err := l.mins.set(tenant, share.Min, l.sched.Capacity()); err != nil {
		return err
	}
	l.sched.SetShare(l.now, tenant, sched.Share(share))
	l.DispatchLocked()
	return nil
}

// ResizeLocked sets the capacity and hands out what a greater one allows. It
// may be below what is in use or guaranteed: nothing is revoked, and the Mins
// share what there is.
func (l *Line) ResizeLocked(capacity int) {
	l.sched.Resize(capacity)
	l.DispatchLocked()
}

// guarantees adds up the Mins of the named tenants.
type guarantees struct {
	of  map[string]int
	sum int
}

func newGuarantees(tenants map[string]Share) guarantees {
	g := guarantees{of: make(map[string]int)}
	for name, share := range tenants {
		g.put(name, share.Min)
	}
	return g
}

func (g *guarantees) set(tenant string, least, capacity int) error {
	if sum := g.sum - g.of[tenant] + least; least > g.of[tenant] && (least > capacity || sum > capacity) {
		return fmt.Errorf("fairshare: Share.Min is %d for tenant %s, which makes the Mins sum to %d, more than the capacity of %d", least, quote(tenant), sum, capacity)
	}
	g.put(tenant, least)
	return nil
}

func (g *guarantees) put(tenant string, least int) {
	g.sum += least - g.of[tenant]
	if least == 0 {
		delete(g.of, tenant)
	} else {
		g.of[tenant] = least
	}
}
