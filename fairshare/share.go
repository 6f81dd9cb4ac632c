package fairshare

import (
	"cmp"
	"fmt"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// SetShare changes the share of a tenant from now on, also while it holds and
// waits. Its debt or credit stays, as slot-time. It returns an error, and changes nothing,
// if the share is invalid or the Mins of all named tenants would exceed the
// capacity.
func (l *Line) SetShare(tenant string, share Share) error {
	share, err := share.check(fmt.Sprintf("%s: SetShare of tenant %s: Share", cmp.Or(l.owner, "fairshare"), quote(tenant)))
	if err != nil {
		return err
	}
	l.Lock()
	defer l.Unlock()
	if err := l.mins.set(l.owner, tenant, share.Min, l.sched.Capacity()); err != nil {
		return err
	}
	l.sched.SetShare(l.now, tenant, sched.Share(share))
	l.failTooLargeLocked()
	l.DispatchLocked()
	return nil
}

// ResizeLocked sets the capacity and hands out what a greater one allows. It
// may be below what is in use or guaranteed: nothing is revoked, and the Mins
// share what there is. A request of more slots than there are now fails, unless there
// are none.
func (l *Line) ResizeLocked(capacity int) {
	l.sched.Resize(l.now, capacity)
	l.failTooLargeLocked()
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

func (g *guarantees) set(owner, tenant string, least, capacity int) error {
	if sum := g.sum - g.of[tenant] + least; least > g.of[tenant] && (least > capacity || sum > capacity) {
		return fmt.Errorf("%s: Share.Min is %d for tenant %s, which makes the Mins sum to %d, more than the capacity of %d", cmp.Or(owner, "fairshare"), least, quote(tenant), sum, capacity)
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
