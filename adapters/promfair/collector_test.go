package promfair_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/promfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func everything(t testing.TB) (*promfair.Collector, *promfair.Collector, *promfair.Times) {
	times, err := promfair.NewTimes(promfair.TimesOptions{Pool: "things", Holds: true})
	require.NoError(t, err)
	p := newPool(t, 2, func(c *pool.Config[*thing]) { c.Trace = times.Trace() })
	require.NoError(t, p.Do(background, "a", func(context.Context, *thing) error { return nil }))
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	require.NoError(t, err)
	return collector(t, p, promfair.Options{Pool: "things", TopTenants: 3}),
		collector(t, s, promfair.Options{Pool: "permits", TopTenants: 3}), times
}

func TestNamesAndHelpTextsPassTheLinter(t *testing.T) {
	things, permits, times := everything(t)
	problems, err := testutil.GatherAndLint(registry(t, things, permits, times))
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestPoolsAndSemaphoresShareARegistry(t *testing.T) {
	things, permits, _ := everything(t)
	series := gather(t, registry(t, things))
	ofSemaphore := gather(t, registry(t, permits))
	require.Contains(t, series, "fairpool_resources{state=warm}")
	require.NotContains(t, ofSemaphore, "fairpool_resources{state=warm}")
	for name := range ofSemaphore {
		if !strings.Contains(name, "{tenant=") {
			require.Contains(t, series, name)
		}
	}
	more := collector(t, newPool(t, 1, nil), promfair.Options{Pool: "other things"})
	_, err := registry(t, things, permits, more).Gather()
	require.NoError(t, err)
}

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
			f.Set(reflect.ValueOf(map[pool.Retirement]uint64{pool.Lifetime: uint64(*n), "a new one": uint64(*n)}))
		default:
			continue // errors and flags
		}
		names[float64(*n)] = name
	}
}

func TestEveryFigureOfAPoolIsExported(t *testing.T) {
	var source counted
	n, names := int64(100), map[float64]string{}
	number(reflect.ValueOf(&source.stats).Elem(), &n, names)
	require.Greater(t, len(names), 30)
	series := gather(t, registry(t, collector(t, source, promfair.Options{Pool: "p"})))
	for _, value := range series {
		delete(names, value)
	}
	for n, name := range names {
		if name == "TimedHolds" { // what Holds sums up to
			delete(names, n)
		}
	}
	require.Empty(t, names, "fields of Stats that no metric has")
	require.Equal(t, series["fairpool_retired_total{reason=lifetime}"], series["fairpool_retired_total{reason=a new one}"])
}

func TestFlagsAreZeroOrOne(t *testing.T) {
	for name, set := range map[string]func(*pool.Stats){
		"fairpool_suspended":     func(s *pool.Stats) { s.Suspended = true },
		"fairpool_closed":        func(s *pool.Stats) { s.Closed = true },
		"fairpool_build_failing": func(s *pool.Stats) { s.BuildErr = errors.New("broken") },
	} {
		var source counted
		c := collector(t, &source, promfair.Options{Pool: "p"})
		require.Zero(t, gather(t, registry(t, c))[name], name)
		set(&source.stats)
		require.EqualValues(t, 1, gather(t, registry(t, c))[name], name)
	}
}

func TestAScrapeShowsThePoolAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 2, func(c *pool.Config[*thing]) {
			c.Sharing.Tenants = map[string]fairshare.Share{"b": {Weight: 3, MaxWaiting: 1}}
		})
		r := registry(t, collector(t, p, promfair.Options{Pool: "p", TopTenants: 2}))
		l, k := acquire(t, p, "a"), acquire(t, p, "a")
		go func() { acquire(t, p, "b").Release() }()
		synctest.Wait()
		_, err := p.Acquire(background, "b")
		require.ErrorIs(t, err, pool.ErrQueueFull)
		time.Sleep(3 * time.Second)
		require.Subset(t, gather(t, r), map[string]float64{
			"fairpool_capacity":                               2,
			"fairpool_in_use":                                 2,
			"fairpool_waiting":                                1,
			"fairpool_active_tenants":                         2,
			"fairpool_oldest_wait_seconds":                    3,
			"fairpool_acquired_total":                         2,
			"fairpool_rejected_total":                         1,
			"fairpool_resources{state=leased}":                2,
			"fairpool_resources{state=warm}":                  0,
			"fairpool_tenant_held{tenant=a}":                  2,
			"fairpool_tenant_entitled{tenant=b}":              1,
			"fairpool_tenant_weight{tenant=a}":                1,
			"fairpool_tenant_weight{tenant=b}":                3,
			"fairpool_tenant_starved_seconds{tenant=a}":       0,
			"fairpool_tenant_starved_seconds{tenant=b}":       3,
			"fairpool_tenant_rejected_total{tenant=b}":        1,
			"fairpool_tenant_held{tenant=other}":              0,
			"fairpool_tenant_service_seconds_total{tenant=a}": 6,
		})
		l.Release()
		k.Release()
		synctest.Wait()
		require.Subset(t, gather(t, r), map[string]float64{
			"fairpool_in_use":                          0,
			"fairpool_waiting":                         0,
			"fairpool_acquired_total":                  3,
			"fairpool_queue_wait_seconds":              3,
			"fairpool_resources{state=warm}":           2,
			"fairpool_tenant_acquired_total{tenant=b}": 1,
		})
	})
}

func TestOptionsThatCannotBeAreRefused(t *testing.T) {
	p := newPool(t, 1, nil)
	for message, o := range map[string]promfair.Options{
		`promfair: Options.Pool is "", must be a name in UTF-8`:     {},
		`promfair: Options.Pool is "\xff", must be a name in UTF-8`: {Pool: "\xff"},
		`promfair: Options.TopTenants is -1, must not be negative`:  {Pool: "p", TopTenants: -1},
	} {
		_, err := promfair.NewCollector(p, o)
		require.EqualError(t, err, message)
	}
	_, err := promfair.NewCollector((*pool.Pool[*thing])(nil), promfair.Options{Pool: "p"})
	require.EqualError(t, err, "promfair: the source is nil")
	_, err = promfair.NewCollector[pool.Stats](nil, promfair.Options{Pool: "p"})
	require.EqualError(t, err, "promfair: the source is nil")
	for message, o := range map[string]promfair.TimesOptions{
		`promfair: TimesOptions.Pool is "", must be a name in UTF-8`:            {},
		`promfair: TimesOptions.Buckets are [0 1], must be positive and rise`:   {Pool: "p", Buckets: []float64{0, 1}},
		`promfair: TimesOptions.Buckets are [1 2 2], must be positive and rise`: {Pool: "p", Buckets: []float64{1, 2, 2}},
	} {
		_, err := promfair.NewTimes(o)
		require.EqualError(t, err, message)
	}
}
