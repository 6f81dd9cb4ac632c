package promfair_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/promfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

// histograms returns them by name and result.
func histograms(t testing.TB, from prometheus.Gatherer) map[string]*dto.Histogram {
	families, err := from.Gather()
	require.NoError(t, err)
	all := make(map[string]*dto.Histogram)
	for _, f := range families {
		for _, m := range f.Metric {
			if m.Histogram != nil {
				all[f.GetName()+labels(m)] = m.Histogram
			}
		}
	}
	return all
}

func newTimes(t testing.TB, o promfair.TimesOptions) *promfair.Times {
	times, err := promfair.NewTimes(o)
	require.NoError(t, err)
	return times
}

func TestTimesAreThoseOfWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		times := newTimes(t, promfair.TimesOptions{Pool: "p", Holds: true})
		broken, fails := errors.New("broken"), false
		p := newPool(t, 1, func(c *pool.Config[*thing]) {
			c.Trace = times.Trace()
			c.Constructor = func(context.Context) (*thing, error) {
				time.Sleep(time.Second)
				if fails {
					return nil, broken
				}
				return &thing{}, nil
			}
		})
		l := acquire(t, p, "a") // waits for 1 s
		ctx, cancel := context.WithTimeout(background, 2*time.Second)
		defer cancel()
		_, err := p.Acquire(ctx, "b")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(3 * time.Second)
		fails = true
		l.Destroy() // held for 5 s
		_, err = p.Acquire(background, "c")
		require.ErrorIs(t, err, broken)
		p.Close()
		_, err = p.Acquire(background, "d")
		require.ErrorIs(t, err, pool.ErrClosed)
		synctest.Wait()

		got := histograms(t, registry(t, times))
		for name, sum := range map[string]float64{
			"fairpool_build_duration_seconds{result=ok}":     1,
			"fairpool_build_duration_seconds{result=failed}": 1,
			"fairpool_wait_duration_seconds{result=ok}":      1,
			"fairpool_wait_duration_seconds{result=timeout}": 2,
			"fairpool_wait_duration_seconds{result=failed}":  1,
			"fairpool_wait_duration_seconds{result=closed}":  0,
			"fairpool_hold_duration_seconds":                 5,
		} {
			require.Contains(t, got, name)
			require.EqualValues(t, 1, got[name].GetSampleCount(), name)
			require.InDelta(t, sum, got[name].GetSampleSum(), 1e-9, name)
			require.NotNil(t, got[name].Schema, "%s is no native histogram", name)
			require.Empty(t, got[name].Bucket, name)
		}
		require.Len(t, got, 7)
	})
}

func TestResultsTellHowAWaitEnded(t *testing.T) {
	times := newTimes(t, promfair.TimesOptions{Pool: "p"})
	done := times.Trace().WaitDone
	for result, errs := range map[string][]error{
		"ok":       {nil},
		"rejected": {pool.ErrQueueFull, &pool.AcquireError{Err: pool.ErrLate}},
		"timeout":  {pool.ErrAcquireTimeout, context.DeadlineExceeded, &pool.AcquireError{Err: context.DeadlineExceeded}},
		"canceled": {context.Canceled},
		"closed":   {pool.ErrClosed},
		"failed":   {errors.New("broken"), pool.ErrNested},
	} {
		before := histograms(t, registry(t, times))["fairpool_wait_duration_seconds{result="+result+"}"].GetSampleCount()
		for _, err := range errs {
			done(background, pool.Event{Err: err})
		}
		after := histograms(t, registry(t, times))["fairpool_wait_duration_seconds{result="+result+"}"].GetSampleCount()
		require.EqualValues(t, len(errs), after-before, result)
	}
}

// Who is served at once is counted by the Collector. The histogram has those who
// were not, unless it is to have all.
func TestWaitsAreThoseOfWhoIsNotServedAtOnceUnlessEachIsAskedFor(t *testing.T) {
	for each, counted := range map[bool]uint64{false: 2, true: 12} {
		synctest.Test(t, func(t *testing.T) {
			times := newTimes(t, promfair.TimesOptions{Pool: "p", EachAcquire: each})
			p := newPool(t, 1, func(c *pool.Config[*thing]) { c.Trace = times.Trace() })
			acquire(t, p, "a").Release() // waits for the build
			for range 9 {
				acquire(t, p, "a").Release()
			}
			l := acquire(t, p, "a")
			time.AfterFunc(time.Second, l.Release)
			acquire(t, p, "b").Release() // waits for a
			waits := histograms(t, registry(t, times))["fairpool_wait_duration_seconds{result=ok}"]
			require.Equal(t, counted, waits.GetSampleCount())
			require.InDelta(t, 1, waits.GetSampleSum(), 1e-9)
		})
	}
}

func TestWhatIsNotAskedForHasNoHook(t *testing.T) {
	for _, o := range []promfair.TimesOptions{{}, {EachAcquire: true}, {Holds: true}} {
		o.Pool = "p"
		trace := newTimes(t, o).Trace()
		require.Equal(t, o.EachAcquire, trace.AcquireDone != nil)
		require.NotEqual(t, o.EachAcquire, trace.WaitDone != nil)
		require.Equal(t, o.Holds, trace.Release != nil)
		require.NotNil(t, trace.BuildDone)
		trace.BuildDone, trace.AcquireDone, trace.WaitDone, trace.Release = nil, nil, nil, nil
		require.Equal(t, pool.Trace{}, trace)
	}
}

func TestBucketsAreThereForThoseWhoAskForThem(t *testing.T) {
	times := newTimes(t, promfair.TimesOptions{Pool: "p", Buckets: []float64{0.1, 1}})
	times.Trace().BuildDone(background, pool.Event{Took: 500 * time.Millisecond})
	h := histograms(t, registry(t, times))["fairpool_build_duration_seconds{result=ok}"]
	require.Len(t, h.Bucket, 2)
	require.EqualValues(t, 0, h.Bucket[0].GetCumulativeCount())
	require.EqualValues(t, 1, h.Bucket[1].GetCumulativeCount())
	require.NotNil(t, h.Schema, "they are beside the native histogram")
}
