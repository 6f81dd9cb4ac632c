package tracefair

import (
	"context"
	"iter"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// Stats are the totals of a pool or of a semaphore.
type Stats interface{ pool.Stats | fairshare.Stats }

// A Source is what there is to watch: a *pool.Pool of any kind of resource, or a
// *fairshare.Semaphore.
type Source[S Stats] interface {
	Stats() S
	Tenants() iter.Seq2[string, fairshare.TenantStats]
}

// looks is how often in the time After it is looked who waits.
const looks = 4

// Watch has r write a file when a tenant starves: its first request has waited
// for After, and the tenant holds nothing, or at least one slot less than it is
// entitled to. It returns when ctx ends, so it is to have a goroutine of its own.
// pool is what to call the source.
func Watch[S Stats](ctx context.Context, r *Recorder, pool string, source Source[S]) {
	ticker := time.NewTicker(max(r.options.After/looks, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if oldestWait(source.Stats()) < r.options.After {
			continue
		}
		if why, starves := starving(source.Tenants(), r.options.After); starves {
			why.Pool = pool
			r.happens(why)
		}
	}
}

func oldestWait[S Stats](stats S) time.Duration {
	switch s := any(stats).(type) {
	case fairshare.Stats:
		return s.OldestWait
	case pool.Stats:
		return s.OldestWait
	}
	panic("unreachable")
}

// starving tells of the tenant that has starved for longest, if that is for long
// enough.
func starving(tenants iter.Seq2[string, fairshare.TenantStats], after time.Duration) (why Reason, starves bool) {
	for name, s := range tenants {
		if starved := leaders.Starved(s); starved >= after && starved > why.Waited {
			why = Reason{Tenant: name, Waited: starved, Held: s.Held, Share: s.Entitled}
			starves = true
		}
	}
	return why, starves
}

// Trace has a file written when a lease is asked back: by pool.Reclaim, because
// a tenant has waited for too long, or by Pool.Revoke. name is what to call the
// pool. It costs the pool nothing else; pool.Traces joins it with others.
func (r *Recorder) Trace(name string) pool.Trace {
	return pool.Trace{Revoke: func(e pool.Event) {
		r.happens(Reason{Pool: name, Tenant: e.Tenant, Err: e.Err})
	}}
}
