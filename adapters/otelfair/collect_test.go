package otelfair_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/fairpool/fairpool/adapters/otelfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

type thing struct{}

var background = context.Background()

// newPool returns a pool of things whose configuration set completes.
func newPool(t testing.TB, maxSize int, set func(*pool.Config[*thing])) *pool.Pool[*thing] {
	cfg := pool.Config[*thing]{
		Constructor: func(context.Context) (*thing, error) { return &thing{}, nil },
		MaxSize:     maxSize,
	}
	if set != nil {
		set(&cfg)
	}
	p, err := pool.New(cfg)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func acquire(t testing.TB, p *pool.Pool[*thing], tenant string) pool.Lease[*thing] {
	l, err := p.Acquire(background, tenant)
	require.NoError(t, err)
	return l
}

// A meter is a provider of the SDK's, and the reader of what it is told.
type meter struct {
	metric.MeterProvider
	reader *sdk.ManualReader
}

func newMeter() meter {
	reader := sdk.NewManualReader()
	return meter{sdk.NewMeterProvider(sdk.WithReader(reader)), reader}
}

func observe[S otelfair.Stats](t testing.TB, source otelfair.Source[S], o otelfair.Options) (meter, metric.Registration) {
	m := newMeter()
	o.Pool, o.MeterProvider = "things", m
	r, err := otelfair.Observe(source, o)
	require.NoError(t, err)
	return m, r
}

// collect returns the value of each series, by name and attributes but that of
// the pool; of histograms the sum.
func (m meter) collect(t testing.TB) map[string]float64 {
	all := make(map[string]float64)
	for _, one := range m.metrics(t) {
		switch data := one.Data.(type) {
		case metricdata.Sum[int64]:
			note(all, one.Name, data.DataPoints)
		case metricdata.Sum[float64]:
			note(all, one.Name, data.DataPoints)
		case metricdata.Gauge[int64]:
			note(all, one.Name, data.DataPoints)
		case metricdata.Gauge[float64]:
			note(all, one.Name, data.DataPoints)
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				all[one.Name+attributes(p.Attributes)] = p.Sum
			}
		default:
			require.Failf(t, "kind", "%s: %T", one.Name, data)
		}
	}
	return all
}

func note[N int64 | float64](all map[string]float64, name string, points []metricdata.DataPoint[N]) {
	for _, p := range points {
		all[name+attributes(p.Attributes)] = float64(p.Value)
	}
}

func attributes(set attribute.Set) string {
	var all []string
	for _, a := range set.ToSlice() {
		if a.Key != "fairpool.pool" && a.Key != "db.client.connection.pool.name" {
			all = append(all, fmt.Sprintf("%s=%s", a.Key, a.Value.String()))
		}
	}
	if all == nil {
		return ""
	}
	return "{" + strings.Join(all, ",") + "}"
}

func (m meter) metrics(t testing.TB) (all []metricdata.Metrics) {
	var data metricdata.ResourceMetrics
	require.NoError(t, m.reader.Collect(background, &data))
	for _, scope := range data.ScopeMetrics {
		require.Equal(t, "github.com/fairpool/fairpool/adapters/otelfair", scope.Scope.Name)
		all = append(all, scope.Metrics...)
	}
	return all
}
