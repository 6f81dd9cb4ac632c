package debugfair_test

import (
	"context"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/debugfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestWaitsCountsWhoWaitsAndCallsTheTraceThatWasThere(t *testing.T) {
	waits := new(debugfair.Waits)
	traced := 0
	p, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { return 0, nil },
		MaxSize:     1,
		Trace:       waits.Trace(pool.Trace{WaitDone: func(context.Context, pool.Event) { traced++ }}),
	})
	require.NoError(t, err)
	defer p.Close()
	page, err := debugfair.NewStill(debugfair.Config{Pools: []debugfair.Pool{{Name: "p", Source: p, Waits: waits}}})
	require.NoError(t, err)
	defer page.Close()
	now := time.Now()
	page.Sample(now)
	require.Nil(t, look(t, page).Pools[0].Now.P50, "nobody has waited")

	l, err := p.Acquire(t.Context(), "a") // waits for the build
	require.NoError(t, err)
	for range 100 { // which have no part in it
		l.Release()
		l, err = p.Acquire(t.Context(), "a")
		require.NoError(t, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // turned away at once, which does not count as a short wait
		_, err = p.Acquire(gone, "b")
		require.Error(t, err)
	}
	for range 2 {
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err = p.Acquire(short, "b")
		cancel()
		require.Error(t, err)
	}
	l.Release()
	require.Equal(t, 53, traced)

	page.Sample(now.Add(time.Second))
	got := look(t, page).Pools[0].Now
	require.NotNil(t, got.P50)
	require.GreaterOrEqual(t, *got.P50, 2.0, "two of three waits were long")
	require.GreaterOrEqual(t, *got.P99, *got.P50)

	page.Sample(now.Add(3 * time.Minute))
	page.Sample(now.Add(3*time.Minute + time.Second))
	require.Nil(t, look(t, page).Pools[0].Now.P50, "that is long ago")
}
