package promfair_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fairpool/fairpool/adapters/promfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
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

func collector[S promfair.Stats](t testing.TB, source promfair.Source[S], o promfair.Options) *promfair.Collector {
	c, err := promfair.NewCollector(source, o)
	require.NoError(t, err)
	return c
}

// registry has checks that the usual one has not.
func registry(t testing.TB, collectors ...prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewPedanticRegistry()
	for _, c := range collectors {
		require.NoError(t, r.Register(c))
	}
	return r
}

// gather returns the value of each series, by name and labels but that of the
// pool; of a histogram the sum.
func gather(t testing.TB, from prometheus.Gatherer) map[string]float64 {
	families, err := from.Gather()
	require.NoError(t, err)
	all := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.Metric {
			all[f.GetName()+labels(m)] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
		}
	}
	return all
}

func labels(m *dto.Metric) string {
	var all []string
	for _, l := range m.Label {
		if l.GetName() != "pool" {
			all = append(all, l.GetName()+"="+l.GetValue())
		}
	}
	if all == nil {
		return ""
	}
	return "{" + strings.Join(all, ",") + "}"
}

// tenantsOf are the labels of the tenants that have series.
func tenantsOf(series map[string]float64) []string {
	all := make(map[string]bool)
	for name := range series {
		if _, label, ok := strings.Cut(name, "{tenant="); ok {
			all[strings.TrimSuffix(label, "}")] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func acquire(t testing.TB, p *pool.Pool[*thing], tenant string) pool.Lease[*thing] {
	l, err := p.Acquire(background, tenant)
	require.NoError(t, err)
	return l
}
