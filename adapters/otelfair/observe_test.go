package otelfair_test

import (
	"errors"
	"iter"
	"maps"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/otelfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A counted source says the same thing each time.
type counted struct{ stats pool.Stats }

func (c counted) Stats() pool.Stats { return c.stats }
func (c counted) Tenants() iter.Seq2[string, fairshare.TenantStats] {
	return maps.All(map[string]fairshare.TenantStats(nil))
}

// number gives each field a number of its own, from *n on, and returns their
// names by number.
func number(v reflect.Value, n *int64, names map[float64]string) {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		*n++
		switch {
		case f.Kind() == reflect.Struct:
			number(f, n, names)
			continue
		case f.Type() == reflect.TypeFor[time.Duration]():
			f.SetInt(*n * int64(time.Second))
		case f.CanInt():
			f.SetInt(*n)
		case f.CanUint():
			f.SetUint(uint64(*n))
		case f.Kind() == reflect.Map:
			f.Set(reflect.ValueOf(map[pool.Retirement]uint64{pool.Lifetime: uint64(*n)}))
		default:
			continue // errors and flags
		}
		names[float64(*n)] = name
	}
}

func TestEveryFigureOfAPoolIsReported(t *testing.T) {
	var source counted
	n, names := int64(100), map[float64]string{}
	number(reflect.ValueOf(&source.stats).Elem(), &n, names)
	require.Greater(t, len(names), 30)
	m, _ := observe(t, source, otelfair.Options{})
	for _, value := range m.collect(t) {
		delete(names, value)
	}
	require.Empty(t, names, "fields of Stats that no instrument has")
}

func TestFlagsAreZeroOrOne(t *testing.T) {
	for name, set := range map[string]func(*pool.Stats){
		"fairpool.suspended":     func(s *pool.Stats) { s.Suspended = true },
		"fairpool.closed":        func(s *pool.Stats) { s.Closed = true },
		"fairpool.build_failing": func(s *pool.Stats) { s.BuildErr = errors.New("broken") },
	} {
		var source counted
		m, _ := observe(t, &source, otelfair.Options{})
		require.Contains(t, m.collect(t), name)
		require.Zero(t, m.collect(t)[name], name)
		set(&source.stats)
		require.EqualValues(t, 1, m.collect(t)[name], name)
	}
}

// What is counted since the start is a counter; what adds up over pools is a
// sum; what does not is neither.
func TestInstrumentsAreOfTheRightKind(t *testing.T) {
	m, _ := observe(t, newPool(t, 2, nil), otelfair.Options{TopTenants: 1})
	for _, one := range m.metrics(t) {
		require.NotEmpty(t, one.Description, one.Name)
		require.NotEmpty(t, one.Unit, one.Name)
		monotonic, sum := false, true
		switch data := one.Data.(type) {
		case metricdata.Sum[int64]:
			monotonic = data.IsMonotonic
		case metricdata.Sum[float64]:
			monotonic = data.IsMonotonic
		default:
			sum = false
		}
		switch one.Name {
		case "fairpool.acquired", "fairpool.retired", "fairpool.wait_time", "fairpool.tenant.service":
			require.True(t, monotonic, one.Name)
		case "fairpool.capacity", "fairpool.in_use", "fairpool.waiting", "fairpool.resources", "fairpool.tenant.held":
			require.True(t, sum && !monotonic, one.Name)
		case "fairpool.oldest_wait", "fairpool.horizon", "fairpool.suspended", "fairpool.tenant.debt", "fairpool.tenant.starved":
			require.False(t, sum, one.Name)
		}
	}
}

func TestASemaphoreIsReportedAsFarAsItGoes(t *testing.T) {
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 3})
	require.NoError(t, err)
	defer s.Close()
	p, err := s.Acquire(background, "a")
	require.NoError(t, err)
	defer p.Release()
	m, _ := observe(t, s, otelfair.Options{TopTenants: 1})
	got := m.collect(t)
	require.Subset(t, got, map[string]float64{
		"fairpool.capacity": 3, "fairpool.in_use": 1, "fairpool.tenant.held{fairpool.tenant=a}": 1,
	})
	for name := range got {
		require.NotContains(t, name, "resource")
	}
}

func TestADatabasePoolIsReportedByTheConventions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 3, nil)
		m, _ := observe(t, p, otelfair.Options{Database: &otelfair.Database{Sizes: pool.Sizes{MinIdle: 1, MaxIdle: 2}}})
		a, b := acquire(t, p, "a"), acquire(t, p, "a")
		acquire(t, p, "b").Release()
		require.NoError(t, p.Resize(2))
		synctest.Wait()
		go func() { acquire(t, p, "b").Release() }()
		synctest.Wait()
		got := m.collect(t)
		require.Subset(t, got, map[string]float64{
			"db.client.connection.count{db.client.connection.state=used}": 2,
			"db.client.connection.count{db.client.connection.state=idle}": 0,
			"db.client.connection.max":                                    2,
			"db.client.connection.pending_requests":                       1,
			"db.client.connection.idle.min":                               1,
			"db.client.connection.idle.max":                               2,
		})
		for _, twin := range []string{"fairpool.waiting", "fairpool.max_size", "fairpool.resources{fairpool.resource.state=warm}"} {
			require.NotContains(t, got, twin, "there is a convention for it")
		}
		require.Contains(t, got, "fairpool.capacity")
		a.Release()
		b.Release()
		synctest.Wait()
		require.EqualValues(t, 2, m.collect(t)["db.client.connection.count{db.client.connection.state=idle}"])
	})
}

func TestAnUndoneRegistrationReportsNothing(t *testing.T) {
	m, r := observe(t, newPool(t, 1, nil), otelfair.Options{TopTenants: 3})
	require.NotEmpty(t, m.collect(t))
	require.NoError(t, r.Unregister())
	require.Empty(t, m.collect(t))
}

func TestOptionsThatCannotBeAreRefused(t *testing.T) {
	p := newPool(t, 1, nil)
	for message, o := range map[string]otelfair.Options{
		`otelfair: Options.Pool is "", must be a name in UTF-8`:                {},
		`otelfair: Options.Pool is "\xff", must be a name in UTF-8`:            {Pool: "\xff"},
		`otelfair: Options.TopTenants is -1, must not be negative`:             {Pool: "p", TopTenants: -1},
		`otelfair: Options.Database.Sizes.MinIdle is -2, must not be negative`: {Pool: "p", Database: &otelfair.Database{Sizes: pool.Sizes{MinIdle: -2}}},
		`otelfair: Options.Database.Sizes.MaxIdle is -3, must not be negative`: {Pool: "p", Database: &otelfair.Database{Sizes: pool.Sizes{MaxIdle: -3}}},
	} {
		_, err := otelfair.Observe(p, o)
		require.EqualError(t, err, message)
	}
	_, err := otelfair.Observe((*pool.Pool[*thing])(nil), otelfair.Options{Pool: "p"})
	require.EqualError(t, err, "otelfair: the source is nil")
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	require.NoError(t, err)
	_, err = otelfair.Observe(s, otelfair.Options{Pool: "p", Database: &otelfair.Database{}})
	require.EqualError(t, err, "otelfair: Options.Database is set, but a semaphore has no connections")
	_, err = otelfair.Trace(otelfair.TraceOptions{})
	require.EqualError(t, err, `otelfair: TraceOptions.Pool is "", must be a name in UTF-8`)
}

// Without providers it is the global ones, which do nothing until they are set.
func TestTheGlobalProvidersWillDo(t *testing.T) {
	r, err := otelfair.Observe(newPool(t, 1, nil), otelfair.Options{Pool: "p", TopTenants: 1})
	require.NoError(t, err)
	require.NoError(t, r.Unregister())
	trace, err := otelfair.Trace(otelfair.TraceOptions{Pool: "p", EachAcquire: true, Holds: true, Spans: true})
	require.NoError(t, err)
	p := newPool(t, 1, func(c *pool.Config[*thing]) { c.Trace = trace })
	acquire(t, p, strings.Repeat("a", 3)).Release()
}
