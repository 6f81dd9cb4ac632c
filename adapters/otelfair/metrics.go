package otelfair

import (
	"maps"
	"slices"

	"github.com/fairpool/fairpool/pool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Attributes.
const (
	poolKey     = attribute.Key("fairpool.pool")
	tenantKey   = attribute.Key("fairpool.tenant")
	stateKey    = attribute.Key("fairpool.resource.state")
	stepKey     = attribute.Key("fairpool.step")
	reasonKey   = attribute.Key("fairpool.reason")
	resultKey   = attribute.Key("fairpool.result")
	resourceKey = attribute.Key("fairpool.resource.number")
)

// A figure is one of a pool or semaphore.
type figure struct {
	kind  kind
	name  name
	value func(*pool.Stats) float64
}

// A group is a figure for each value of an attribute.
type group struct {
	kind   kind
	name   name
	key    attribute.Key
	values func(*pool.Stats) map[string]float64
}

func (m *instruments) totals(all []figure, options ...metric.ObserveOption) {
	for _, f := range all {
		observe := m.instrument(f.kind, f.name)
		m.report(func(to metric.Observer, s *pool.Stats) { observe(to, f.value(s), options...) })
	}
}

func (m *instruments) groups(all []group, pool string) {
	for _, g := range all {
		m.group(g, pool)
	}
}

func (m *instruments) group(g group, name string) {
	observe := m.instrument(g.kind, g.name)
	m.report(func(to metric.Observer, s *pool.Stats) {
		values := g.values(s)
		for _, value := range slices.Sorted(maps.Keys(values)) {
			observe(to, values[value], metric.WithAttributes(poolKey.String(name), g.key.String(value)))
		}
	})
}

// sharing is what pools and semaphores have alike. There is a convention for
// what is pending in a database pool.
func sharing(pending bool) []figure {
	all := []figure{
		{level, name{"fairpool.capacity", "{slot}", "Slots that may be in use at once."},
			func(s *pool.Stats) float64 { return float64(s.Capacity) }},
		{level, name{"fairpool.in_use", "{slot}", "Slots that tenants are charged for."},
			func(s *pool.Stats) float64 { return float64(s.InUse) }},
		{level, name{"fairpool.active_tenants", "{tenant}", "Tenants that hold a slot, wait for one or have joined."},
			func(s *pool.Stats) float64 { return float64(s.ActiveTenants) }},
		{state, name{"fairpool.oldest_wait", "s", "For how long the request that has waited longest waits, 0 if none does."},
			func(s *pool.Stats) float64 { return s.OldestWait.Seconds() }},
		{state, name{"fairpool.horizon", "s", "For how long a slot is expected to be held, for the decision who is next."},
			func(s *pool.Stats) float64 { return s.Horizon.Seconds() }},
		{total, name{"fairpool.acquired", "{request}", "Requests that got a slot."},
			func(s *pool.Stats) float64 { return float64(s.Acquired) }},
		{total, name{"fairpool.wait_time", "s", "For how long requests had waited in total, those in vain included."},
			func(s *pool.Stats) float64 { return s.WaitTime.Seconds() }},
		{total, name{"fairpool.rejected", "{request}", "Requests refused because the queue was full or the wait would have been too long."},
			func(s *pool.Stats) float64 { return float64(s.Rejected) }},
		{total, name{"fairpool.canceled", "{request}", "Waits that ended without a slot."},
			func(s *pool.Stats) float64 { return float64(s.Canceled) }},
		{total, name{"fairpool.timed_out", "{request}", "Waits that ended without a slot because of AcquireTimeout."},
			func(s *pool.Stats) float64 { return float64(s.TimedOut) }},
		{total, name{"fairpool.expired", "{request}", "Waits that ended without a slot because of the caller's deadline."},
			func(s *pool.Stats) float64 { return float64(s.Expired) }},
		{total, name{"fairpool.abandoned", "{request}", "Waits that ended without a slot because the caller gave up."},
			func(s *pool.Stats) float64 { return float64(s.Abandoned) }},
		{total, name{"fairpool.failed", "{request}", "Waits that ended without a slot for any other reason, such as a failed build."},
			func(s *pool.Stats) float64 { return float64(s.Failed) }},
		{total, name{"fairpool.hold_time", "s", "For how long slots were held, in total over those holds that were timed."},
			func(s *pool.Stats) float64 { return s.HoldTime.Seconds() }},
		{total, name{"fairpool.timed_holds", "{hold}", "Holds of a slot that were timed, which not all are."},
			func(s *pool.Stats) float64 { return float64(s.TimedHolds) }},
	}
	if pending {
		all = append(all, figure{level, name{"fairpool.waiting", "{request}", "Requests that wait for a slot."},
			func(s *pool.Stats) float64 { return float64(s.Waiting) }})
	}
	return all
}

// resources is what only pools have. There is a convention for the size of a
// database pool.
func resources(size bool) []figure {
	all := []figure{
		{level, name{"fairpool.stale_resources", "{resource}", "Live resources that are to be replaced."},
			func(s *pool.Stats) float64 { return float64(s.Stale) }},
		{state, name{"fairpool.suspended", "1", "1 while handing out is suspended, else 0."},
			func(s *pool.Stats) float64 { return flag(s.Suspended) }},
		{state, name{"fairpool.closed", "1", "1 once the pool is closed, else 0."},
			func(s *pool.Stats) float64 { return flag(s.Closed) }},
		{state, name{"fairpool.build_failing", "1", "1 while the last build of a resource has failed, else 0."},
			func(s *pool.Stats) float64 { return flag(s.BuildErr != nil) }},
		{total, name{"fairpool.built", "{resource}", "Resources built."},
			func(s *pool.Stats) float64 { return float64(s.Built) }},
		{total, name{"fairpool.build_time", "s", "Time spent building resources, failed builds included."},
			func(s *pool.Stats) float64 { return s.BuildTime.Seconds() }},
		{total, name{"fairpool.destroyed", "{resource}", "Resources destroyed."},
			func(s *pool.Stats) float64 { return float64(s.Destroyed) }},
		{total, name{"fairpool.hijacked", "{resource}", "Resources taken out of the pool by their holders."},
			func(s *pool.Stats) float64 { return float64(s.Hijacked) }},
		{total, name{"fairpool.build_hangs", "{call}", "Constructors that outlasted their timeout and did not return."},
			func(s *pool.Stats) float64 { return float64(s.BuildHangs) }},
		{total, name{"fairpool.destroy_hangs", "{call}", "Destructors that outlasted their timeout."},
			func(s *pool.Stats) float64 { return float64(s.DestroyHangs) }},
		{total, name{"fairpool.condemned", "{generation}", "How often an error condemned every resource alive."},
			func(s *pool.Stats) float64 { return float64(s.Condemned) }},
		{total, name{"fairpool.revocations", "{lease}", "Leases asked back."},
			func(s *pool.Stats) float64 { return float64(s.Revocations) }},
		{total, name{"fairpool.leaks", "{lease}", "Leases reported for lasting too long."},
			func(s *pool.Stats) float64 { return float64(s.Leaks) }},
		{total, name{"fairpool.lost_leases", "{lease}", "Leases that nobody could have ended any more."},
			func(s *pool.Stats) float64 { return float64(s.Lost) }},
		{total, name{"fairpool.deadlocks", "{deadlock}", "How often every lease was held by a caller that waited for another."},
			func(s *pool.Stats) float64 { return float64(s.Deadlocks) }},
	}
	if size {
		all = append(all, figure{level, name{"fairpool.max_size", "{resource}", "Resources that may exist at once."},
			func(s *pool.Stats) float64 { return float64(s.MaxSize) }})
	}
	return all
}

// groups is what has one more attribute. There is a convention for the states
// of the connections of a database pool that can be used.
func groups(usable bool) []group {
	states := group{level, name{"fairpool.resources", "{resource}", "Resources by what is going on with them."}, stateKey,
		func(s *pool.Stats) map[string]float64 {
			all := map[string]float64{
				"resetting":  float64(s.Resetting),
				"checking":   float64(s.Checking),
				"building":   float64(s.Building),
				"destroying": float64(s.Destroying),
			}
			if usable {
				all["warm"], all["leased"] = float64(s.Warm), float64(s.Leased)
			}
			return all
		}}
	failures := group{total, name{"fairpool.failures", "{call}", "Calls of the code that looks after resources that failed."}, stepKey,
		func(s *pool.Stats) map[string]float64 {
			return map[string]float64{
				"build":   float64(s.BuildFailures),
				"check":   float64(s.CheckFailures),
				"prepare": float64(s.PrepareFailures),
				"reset":   float64(s.ResetFailures),
				"destroy": float64(s.DestroyFailures),
			}
		}}
	retired := group{total, name{"fairpool.retired", "{resource}", "Resources retired, by reason."}, reasonKey,
		func(s *pool.Stats) map[string]float64 {
			all := make(map[string]float64)
			for reason, n := range s.Retired {
				all[string(reason)] = float64(n)
			}
			return all
		}}
	return []group{states, failures, retired}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
