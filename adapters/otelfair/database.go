package otelfair

import (
	"github.com/fairpool/fairpool/pool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
)

// database reports what there are conventions for. A connection that is being
// reset or checked is in use.
func (m *instruments) database(name string, sizes pool.Sizes) {
	of := func(more ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributes(append(more, semconv.DBClientConnectionPoolName(name))...)
	}
	report := func(observe reading, value func(*pool.Stats) int, attributes metric.MeasurementOption) {
		m.report(func(to metric.Observer, s *pool.Stats) { observe(to, float64(value(s)), attributes) })
	}

	count, err := dbconv.NewClientConnectionCountObservable(m.meter)
	counted := m.whole(count.Inst(), err)
	report(counted, func(s *pool.Stats) int { return s.Warm }, of(semconv.DBClientConnectionStateIdle))
	report(counted, func(s *pool.Stats) int { return s.Leased + s.Resetting + s.Checking }, of(semconv.DBClientConnectionStateUsed))

	limit, err := dbconv.NewClientConnectionMaxObservable(m.meter)
	report(m.whole(limit.Inst(), err), func(s *pool.Stats) int { return s.Capacity }, of())

	pending, err := dbconv.NewClientConnectionPendingRequestsObservable(m.meter)
	report(m.whole(pending.Inst(), err), func(s *pool.Stats) int { return s.Waiting }, of())

	idleMin, err := dbconv.NewClientConnectionIdleMinObservable(m.meter)
	report(m.whole(idleMin.Inst(), err), func(*pool.Stats) int { return sizes.MinIdle }, of())

	// Without a limit of its own, it is that of all.
	idleMax, err := dbconv.NewClientConnectionIdleMaxObservable(m.meter)
	report(m.whole(idleMax.Inst(), err), func(s *pool.Stats) int {
		if sizes.MaxIdle == 0 {
			return s.Capacity
		}
		return min(sizes.MaxIdle, s.Capacity)
	}, of())
}
