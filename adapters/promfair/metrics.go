package promfair

import (
	"iter"
	"maps"

	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
)

// A metric is one figure of a pool or semaphore.
type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*pool.Stats) float64
}

// A group is a figure for each value of a label.
type group struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	values func(*pool.Stats) iter.Seq2[string, float64]
}

func desc(labels prometheus.Labels, name, help string, variable ...string) *prometheus.Desc {
	return prometheus.NewDesc("fairpool_"+name, help, variable, labels)
}

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

// sharing are the metrics of pools and semaphores alike.
func sharing(labels prometheus.Labels) (all []metric) {
	add := func(name string, kind prometheus.ValueType, help string, value func(*pool.Stats) float64) {
		all = append(all, metric{desc(labels, name, help), kind, value})
	}
	add("capacity", gauge, "Slots that may be in use at once.",
		func(s *pool.Stats) float64 { return float64(s.Capacity) })
	add("in_use", gauge, "Slots that tenants are charged for.",
		func(s *pool.Stats) float64 { return float64(s.InUse) })
	add("waiting", gauge, "Requests that wait for a slot.",
		func(s *pool.Stats) float64 { return float64(s.Waiting) })
	add("active_tenants", gauge, "Tenants that hold a slot, wait for one or have joined.",
		func(s *pool.Stats) float64 { return float64(s.ActiveTenants) })
	add("oldest_wait_seconds", gauge, "For how long the request that has waited longest waits, 0 if none does.",
		func(s *pool.Stats) float64 { return s.OldestWait.Seconds() })
	add("horizon_seconds", gauge, "For how long a slot is expected to be held, for the decision who is next.",
		func(s *pool.Stats) float64 { return s.Horizon.Seconds() })
	add("acquired_total", counter, "Requests that got a slot.",
		func(s *pool.Stats) float64 { return float64(s.Acquired) })
	add("rejected_total", counter, "Requests refused because the queue was full or the wait would have been too long.",
		func(s *pool.Stats) float64 { return float64(s.Rejected) })
	add("canceled_total", counter, "Waits that ended without a slot.",
		func(s *pool.Stats) float64 { return float64(s.Canceled) })
	add("timed_out_total", counter, "Waits that ended without a slot because of AcquireTimeout.",
		func(s *pool.Stats) float64 { return float64(s.TimedOut) })
	add("expired_total", counter, "Waits that ended without a slot because of the caller's deadline.",
		func(s *pool.Stats) float64 { return float64(s.Expired) })
	add("abandoned_total", counter, "Waits that ended without a slot because the caller gave up.",
		func(s *pool.Stats) float64 { return float64(s.Abandoned) })
	add("failed_total", counter, "Waits that ended without a slot for any other reason, such as a failed build.",
		func(s *pool.Stats) float64 { return float64(s.Failed) })
	return all
}

// resources are the metrics that only pools have.
func resources(labels prometheus.Labels) (all []metric) {
	add := func(name string, kind prometheus.ValueType, help string, value func(*pool.Stats) float64) {
		all = append(all, metric{desc(labels, name, help), kind, value})
	}
	add("max_size", gauge, "Resources that may exist at once.",
		func(s *pool.Stats) float64 { return float64(s.MaxSize) })
	add("stale_resources", gauge, "Live resources that are to be replaced.",
		func(s *pool.Stats) float64 { return float64(s.Stale) })
	add("suspended", gauge, "Whether handing out is suspended.",
		func(s *pool.Stats) float64 { return flag(s.Suspended) })
	add("closed", gauge, "Whether the pool is closed.",
		func(s *pool.Stats) float64 { return flag(s.Closed) })
	add("build_failing", gauge, "Whether the last build of a resource failed.",
		func(s *pool.Stats) float64 { return flag(s.BuildErr != nil) })
	add("built_total", counter, "Resources built.",
		func(s *pool.Stats) float64 { return float64(s.Built) })
	add("build_seconds_total", counter, "Time spent building resources, failed builds included.",
		func(s *pool.Stats) float64 { return s.BuildTime.Seconds() })
	add("destroyed_total", counter, "Resources destroyed.",
		func(s *pool.Stats) float64 { return float64(s.Destroyed) })
	add("hijacked_total", counter, "Resources taken out of the pool by their holders.",
		func(s *pool.Stats) float64 { return float64(s.Hijacked) })
	add("build_hangs_total", counter, "Constructors that outlasted their timeout and did not return.",
		func(s *pool.Stats) float64 { return float64(s.BuildHangs) })
	add("destroy_hangs_total", counter, "Destructors that outlasted their timeout.",
		func(s *pool.Stats) float64 { return float64(s.DestroyHangs) })
	add("condemned_total", counter, "How often an error condemned every resource alive.",
		func(s *pool.Stats) float64 { return float64(s.Condemned) })
	add("revocations_total", counter, "Leases asked back.",
		func(s *pool.Stats) float64 { return float64(s.Revocations) })
	add("leaks_total", counter, "Leases reported for lasting too long.",
		func(s *pool.Stats) float64 { return float64(s.Leaks) })
	add("lost_leases_total", counter, "Leases that nobody could have ended any more.",
		func(s *pool.Stats) float64 { return float64(s.Lost) })
	add("deadlocks_total", counter, "How often every lease was held by a caller that waited for another.",
		func(s *pool.Stats) float64 { return float64(s.Deadlocks) })
	return all
}

// groups are those that have one more label.
func groups(labels prometheus.Labels) []group {
	return []group{
		{desc(labels, "resources", "Resources by what is going on with them.", "state"), gauge, states},
		{desc(labels, "failures_total", "Calls of the code that looks after resources that failed, by what it was to do.", "step"), counter, failures},
		{desc(labels, "retired_total", "Resources retired, by reason.", "reason"), counter, retired},
	}
}

func states(s *pool.Stats) iter.Seq2[string, float64] {
	return maps.All(map[string]float64{
		"warm":       float64(s.Warm),
		"leased":     float64(s.Leased),
		"resetting":  float64(s.Resetting),
		"checking":   float64(s.Checking),
		"building":   float64(s.Building),
		"destroying": float64(s.Destroying),
	})
}

func failures(s *pool.Stats) iter.Seq2[string, float64] {
	return maps.All(map[string]float64{
		"build":   float64(s.BuildFailures),
		"check":   float64(s.CheckFailures),
		"prepare": float64(s.PrepareFailures),
		"reset":   float64(s.ResetFailures),
		"destroy": float64(s.DestroyFailures),
	})
}

// reasons are there from the start, so that the first time is seen as a rise.
var reasons = []pool.Retirement{
	pool.Destroyed, pool.BadResource, pool.CheckFailed, pool.PrepareFailed, pool.ResetFailed, pool.Idle,
	pool.Lifetime, pool.Uses, pool.Surplus, pool.Displaced, pool.Replaced, pool.Resized, pool.Revoked, pool.Lost,
	pool.Stopped,
}

func retired(s *pool.Stats) iter.Seq2[string, float64] {
	all := make(map[string]float64, len(reasons))
	for _, reason := range reasons {
		all[string(reason)] = 0
	}
	for reason, n := range s.Retired {
		all[string(reason)] = float64(n)
	}
	return maps.All(all)
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
