package fairshare

import (
	"context"

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
// and is active until it has left as often. Without a name, where one is
// required, nobody joins.
func (l *Line) Join(tenant string) *Member {
	if !l.Admits(tenant) {
		return &Member{line: l}
	}
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

// acquireN is Line.acquireN for the member.
func (m *Member) acquireN(ctx context.Context, n int) (Grant, []Grant, error) {
	return m.line.acquireN(ctx, m.name, m, n)
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
