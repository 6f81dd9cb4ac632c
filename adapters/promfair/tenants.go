package promfair

import (
	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/prometheus/client_golang/prometheus"
)

// A figure is one of a tenant.
type figure struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	sums  bool // the tenants without series of their own have it too
	value func(*leaders.Row) float64
}

func figures(labels prometheus.Labels) (all []figure) {
	add := func(name string, kind prometheus.ValueType, sums bool, help string, value func(*leaders.Row) float64) {
		all = append(all, figure{desc(labels, "tenant_"+name, help, "tenant"), kind, sums, value})
	}
	add("held", gauge, true, "Slots that the tenant holds.",
		func(r *leaders.Row) float64 { return float64(r.Held) })
	add("waiting", gauge, true, "Requests of the tenant that wait for a slot.",
		func(r *leaders.Row) float64 { return float64(r.Waiting) })
	add("entitled", gauge, true, "Slots that would be the tenant's now if the capacity were divided by weight among those that want it.",
		func(r *leaders.Row) float64 { return r.Entitled })
	add("oldest_wait_seconds", gauge, true, "For how long the tenant's next request has waited; of other tenants the longest.",
		func(r *leaders.Row) float64 { return r.OldestWait.Seconds() })
	add("starved_seconds", gauge, true, "The same if the tenant holds nothing, or at least one slot less than it is entitled to, else 0.",
		func(r *leaders.Row) float64 { return r.Starved.Seconds() })
	add("weight", gauge, false, "The tenant's relative claim.",
		func(r *leaders.Row) float64 { return r.Share.Weight })
	add("cap", gauge, false, "Slots that the tenant may hold at once, 0 if that is not limited.",
		func(r *leaders.Row) float64 { return float64(r.Cap) })
	add("debt_seconds", gauge, false, "Slot-time over weight that the tenant is ahead of those that wait, negative if it is behind.",
		func(r *leaders.Row) float64 { return r.Debt.Seconds() })
	add("service_seconds_total", counter, true, "Slot-time over weight that the tenant was charged for: what it held while others waited.",
		func(r *leaders.Row) float64 { return r.Service.Seconds() })
	add("acquired_total", counter, true, "Slots granted to the tenant.",
		func(r *leaders.Row) float64 { return float64(r.Acquired) })
	add("rejected_total", counter, true, "Requests of the tenant that were refused.",
		func(r *leaders.Row) float64 { return float64(r.Rejected) })
	add("canceled_total", counter, true, "Waits of the tenant that ended without a slot.",
		func(r *leaders.Row) float64 { return float64(r.Canceled) })
	return all
}
