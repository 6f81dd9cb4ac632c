package otelfair_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/otelfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// live has a pool of one, whose builds take a second, serve somebody for five
// while another waits for two, and then fail.
func live(t *testing.T, trace pool.Trace) {
	broken, fails := errors.New("broken"), false
	p := newPool(t, 1, func(c *pool.Config[*thing]) {
		c.Trace = trace
		c.Constructor = func(context.Context) (*thing, error) {
			time.Sleep(time.Second)
			if fails {
				return nil, broken
			}
			return &thing{}, nil
		}
	})
	l := acquire(t, p, "a")
	ctx, cancel := context.WithTimeout(background, 2*time.Second)
	defer cancel()
	_, err := p.Acquire(ctx, "b")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	time.Sleep(3 * time.Second)
	fails = true
	l.Destroy()
	_, err = p.Acquire(background, "c")
	require.ErrorIs(t, err, broken)
	synctest.Wait()
}

func traced(t testing.TB, o otelfair.TraceOptions) (meter, pool.Trace) {
	m := newMeter()
	o.Pool, o.MeterProvider = "things", m
	trace, err := otelfair.Trace(o)
	require.NoError(t, err)
	return m, trace
}

func TestTimesAreThoseOfWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, trace := traced(t, otelfair.TraceOptions{Holds: true})
		live(t, trace)
		require.Equal(t, map[string]float64{
			"fairpool.build.duration{fairpool.result=ok}":     1,
			"fairpool.build.duration{fairpool.result=failed}": 1,
			"fairpool.wait.duration{fairpool.result=ok}":      1,
			"fairpool.wait.duration{fairpool.result=timeout}": 2,
			"fairpool.wait.duration{fairpool.result=failed}":  1,
			"fairpool.hold.duration":                          5,
		}, m.collect(t))
	})
}

func TestTimesOfADatabasePoolFollowTheConventions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, trace := traced(t, otelfair.TraceOptions{Holds: true, Database: true})
		live(t, trace)
		require.Equal(t, map[string]float64{
			"db.client.connection.create_time": 1,
			"db.client.connection.wait_time":   1,
			"db.client.connection.timeouts":    1,
			"db.client.connection.use_time":    5,
		}, m.collect(t))
	})
}

func TestWaitsAreThoseOfWhoIsNotServedAtOnceUnlessEachIsAskedFor(t *testing.T) {
	for _, database := range []bool{false, true} {
		for each, counted := range map[bool]uint64{false: 1, true: 10} {
			m, trace := traced(t, otelfair.TraceOptions{EachAcquire: each, Database: database})
			p := newPool(t, 1, func(c *pool.Config[*thing]) { c.Trace = trace })
			for range 10 {
				acquire(t, p, "a").Release() // of which the first waits for the build
			}
			name := "fairpool.wait.duration"
			if database {
				name = "db.client.connection.wait_time"
			}
			count := uint64(0)
			for _, one := range m.metrics(t) {
				if one.Name == name {
					count = one.Data.(metricdata.Histogram[float64]).DataPoints[0].Count
				}
			}
			require.Equal(t, counted, count, name)
		}
	}
}

func TestWhatIsNotAskedForHasNoHook(t *testing.T) {
	for _, o := range []otelfair.TraceOptions{
		{}, {EachAcquire: true}, {Holds: true},
		{Database: true}, {Database: true, EachAcquire: true}, {Database: true, Holds: true},
	} {
		_, trace := traced(t, o)
		require.Equal(t, o.EachAcquire, trace.AcquireDone != nil)
		require.NotEqual(t, o.EachAcquire, trace.WaitDone != nil)
		require.Equal(t, o.Holds, trace.Release != nil)
		require.NotNil(t, trace.BuildDone)
		trace.BuildDone, trace.AcquireDone, trace.WaitDone, trace.Release = nil, nil, nil, nil
		require.Equal(t, pool.Trace{}, trace)
	}
}
