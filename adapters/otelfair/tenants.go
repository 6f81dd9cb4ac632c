package otelfair

import (
	"time"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/fairpool/fairpool/pool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// byTenant are the figures of tenants. What cannot be summed up, the others
// have not.
var byTenant = []struct {
	kind  kind
	sums  bool
	name  name
	value func(*leaders.Row) float64
}{
	{level, true, name{"fairpool.tenant.held", "{slot}", "Slots that the tenant holds."},
		func(r *leaders.Row) float64 { return float64(r.Held) }},
	{level, true, name{"fairpool.tenant.waiting", "{request}", "Requests of the tenant that wait for a slot."},
		func(r *leaders.Row) float64 { return float64(r.Waiting) }},
	{state, true, name{"fairpool.tenant.oldest_wait", "s", "For how long the tenant's next request has waited; of other tenants the longest."},
		func(r *leaders.Row) float64 { return r.OldestWait.Seconds() }},
	{state, true, name{"fairpool.tenant.starved", "s", "The same if the tenant holds nothing, or at least one slot less than its share, else 0."},
		func(r *leaders.Row) float64 { return r.Starved.Seconds() }},
	{state, false, name{"fairpool.tenant.cap", "{slot}", "Slots that the tenant may hold at once, 0 if that is not limited."},
		func(r *leaders.Row) float64 { return float64(r.Cap) }},
	{state, false, name{"fairpool.tenant.debt", "s", "Slot-time over weight that the tenant is ahead of those that wait, negative if it is behind."},
		func(r *leaders.Row) float64 { return r.Debt.Seconds() }},
	{total, true, name{"fairpool.tenant.service", "s", "Slot-time over weight that the tenant was charged for: what it held while others waited."},
		func(r *leaders.Row) float64 { return r.Service.Seconds() }},
	{total, true, name{"fairpool.tenant.acquired", "{slot}", "Slots granted to the tenant."},
		func(r *leaders.Row) float64 { return float64(r.Acquired) }},
	{total, true, name{"fairpool.tenant.rejected", "{request}", "Requests of the tenant that were refused."},
		func(r *leaders.Row) float64 { return float64(r.Rejected) }},
	{total, true, name{"fairpool.tenant.canceled", "{request}", "Waits of the tenant that ended without a slot."},
		func(r *leaders.Row) float64 { return float64(r.Canceled) }},
}

func (m *instruments) tenants(board *leaders.Board, tenants leaders.Tenants, name string) {
	var readings []reading
	for _, f := range byTenant {
		readings = append(readings, m.instrument(f.kind, f.name))
	}
	// Shares and weights are no whole numbers, and no times.
	entitled, err := m.meter.Float64ObservableGauge("fairpool.tenant.entitled", metric.WithUnit("{slot}"),
		metric.WithDescription("Slots that would be the tenant's now if the capacity were divided by weight among those that want it."))
	m.add(entitled, err)
	weight, err := m.meter.Float64ObservableGauge("fairpool.tenant.weight", metric.WithUnit("1"),
		metric.WithDescription("The tenant's relative claim."))
	m.add(weight, err)
	m.report(func(to metric.Observer, _ *pool.Stats) {
		for _, row := range board.Rows(time.Now(), tenants) {
			of := metric.WithAttributeSet(attribute.NewSet(poolKey.String(name), tenantKey.String(row.Label)))
			for i, f := range byTenant {
				if row.Leads || f.sums {
					readings[i](to, f.value(&row), of)
				}
			}
			to.ObserveFloat64(entitled, row.Entitled, of)
			if row.Leads {
				to.ObserveFloat64(weight, row.Share.Weight, of)
			}
		}
	})
}
