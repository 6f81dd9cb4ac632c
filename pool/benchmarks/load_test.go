package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAloneDoesAllCyclesUnderTheClock(t *testing.T) {
	c := newCounting(1)
	l, err := openAlone(c.peer(), background, 1, 1000)
	require.NoError(t, err)
	defer l.Close()
	s, err := l.Round()
	require.NoError(t, err)
	require.Equal(t, 1000, s.ops)
	require.EqualValues(t, 1000, c.cycles.Load())
	require.Zero(t, c.blocked.Load())
	require.Positive(t, s.each)
}

func TestCrowdDoesAllCyclesAndIsBlockedBeforeTheClockStarts(t *testing.T) {
	const slots, goroutines, tenants, cycles = 3, 200, 7, 2000
	for _, kind := range []contextKind{background, cancellable} {
		c := newCounting(slots)
		l, err := openCrowd(c.peer(), kind, slots, goroutines, tenants, cycles)
		require.NoError(t, err)
		defer l.Close()
		s, err := l.Round()
		require.NoError(t, err)
		require.Equal(t, cycles, s.ops)
		require.EqualValues(t, cycles, c.cycles.Load())
		require.InDelta(t, cycles, c.blocked.Load(), goroutines/10, "cycles wait to the end")
		require.EqualValues(t, goroutines, c.opened.Load(), "all had asked when the first slot was released")
		require.Equal(t, tenants, c.tenantCount())
		require.InDelta(t, 3.0*(cycles-goroutines)/cycles, s.allocs, 1, "a wait of this lender allocates, and is under the clock")
	}
}

func TestMembersAskForMoreTenantsInTurn(t *testing.T) {
	c := newCounting(1)
	l, err := openCrowd(c.peer(), background, 1, 4, 14, 2000)
	require.NoError(t, err)
	defer l.Close()
	_, err = l.Round()
	require.NoError(t, err)
	require.Equal(t, 14, c.tenantCount())
	require.Equal(t, []string{"tenant-1", "tenant-5", "tenant-9", "tenant-13"}, l.(*crowd).members[1].tenants)
}

func TestApartNobodyWaits(t *testing.T) {
	const cycles = 1001
	c := newCounting(4)
	l, err := openApart(c.peer(), cancellable, 4, 3, cycles)
	require.NoError(t, err)
	defer l.Close()
	s, err := l.Round()
	require.NoError(t, err)
	require.Equal(t, cycles, s.ops)
	require.EqualValues(t, cycles, c.cycles.Load())
	require.Zero(t, c.blocked.Load())
}

// slack is a lender whose slots are of use only a while after they were granted.
type slack struct {
	*counting
	after time.Duration
}

func (s slack) Hold(ctx context.Context, tenant string) (func(), error) {
	release, err := s.counting.Hold(ctx, tenant)
	spin(s.after)
	return release, err
}

func TestHandoffMeasuresEveryHopFromTheReleaseToTheNextHolder(t *testing.T) {
	const goroutines, hops = 5, 200
	const after = 300 * time.Microsecond
	for _, busy := range []time.Duration{0, 20 * time.Microsecond} {
		p := peer{"slack", "", false, func(slots int) (lender, error) { return slack{newCounting(slots), after}, nil }}
		l, err := openHandoff(p, goroutines, 2, hops, busy)
		require.NoError(t, err)
		defer l.Close()
		for range 2 {
			s, err := l.Round()
			require.NoError(t, err)
			require.EqualValues(t, hops, s.latencies.TotalCount())
			require.GreaterOrEqual(t, s.latencies.Min(), int64(after)*999/1000) // three digits
			require.EqualValues(t, s.latencies.ValueAtQuantile(50), s.each)
		}
	}
}

// refusing is a lender that has slots for the preparation only.
type refusing struct{ *counting }

func (refusing) Cycle(context.Context, string) error { return errRefused }

func TestCrowdReportsAMemberThatFails(t *testing.T) {
	l, err := openCrowd(peer{"refusing", "", false, func(int) (lender, error) { return refusing{newCounting(1)}, nil }}, background, 1, 50, 1, 1)
	require.NoError(t, err)
	_, err = l.Round()
	require.ErrorIs(t, err, errRefused)
	require.ErrorContains(t, err, "blocked, not 50")
}

func TestStormEndsEveryWaiter(t *testing.T) {
	c := newCounting(2)
	l, err := openStorm(c.peer(), 2, 300, 10)
	require.NoError(t, err)
	defer l.Close()
	s, err := l.Round()
	require.NoError(t, err)
	require.Equal(t, 300, s.ops)
	require.EqualValues(t, 300, c.blocked.Load())
	require.Zero(t, c.late.Load(), "all were blocked when the context ended")
}

// deaf is a lender that does not notice a cancel.
type deaf struct{ *counting }

func (d deaf) Cycle(ctx context.Context, tenant string) error {
	<-ctx.Done()
	return nil
}

func TestStormRejectsALenderThatDoesNotCancel(t *testing.T) {
	l, err := openStorm(peer{"deaf", "", false, func(int) (lender, error) { return deaf{newCounting(1)}, nil }}, 1, 20, 1)
	require.NoError(t, err)
	_, err = l.Round()
	require.ErrorContains(t, err, "not context.Canceled")
}

func TestPickServesAllTenantsInTurn(t *testing.T) {
	const tenants, picks = 50, 50_000
	l, err := openPick(8, tenants, picks)
	require.NoError(t, err)
	s, err := l.Round()
	require.NoError(t, err)
	require.Equal(t, picks, s.ops)
	p := l.(*pick)
	require.EqualValues(t, picks+8, p.scheduler.Granted())
	require.Equal(t, tenants, p.scheduler.Waiting(), "all stay backlogged")
	require.Equal(t, 8, p.scheduler.InUse())
	for tenant := range p.scheduler.Tenants() {
		status := p.scheduler.Status(p.now, tenant)
		require.InEpsilon(t, picks/tenants, status.Granted, 0.15, tenant.Name())
	}
}

func TestMemoryOfAWaiterIsThatBeyondItsGoroutine(t *testing.T) {
	const waiters = 1000
	bytes := func(ballast int) float64 {
		c := newCounting(1)
		c.ballast = ballast
		l, err := openWaiting(c.peer(), background, 1, waiters, 1)
		require.NoError(t, err)
		defer l.Close()
		_, err = l.Round() // the runtime's own records of so many goroutines
		require.NoError(t, err)
		s, err := l.Round()
		require.NoError(t, err)
		return s.each
	}
	without := bytes(0)
	require.InDelta(t, 200, without, 200, "a channel and an element of a list")
	require.InEpsilon(t, 16384, bytes(16384)-without, 0.1)
}

// A hoarder keeps some bytes for each tenant that ever asked.
type hoarder struct {
	*counting
	mu   sync.Mutex
	kept [][]byte
}

func (h *hoarder) Cycle(context.Context, string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, make([]byte, 1024))
	return nil
}

func TestMemoryOfARememberedTenantIsWhatItLeavesBehind(t *testing.T) {
	l, err := openRemembered(peer{"hoarder", "", false, func(int) (lender, error) { return &hoarder{counting: newCounting(1)}, nil }}, 2000)
	require.NoError(t, err)
	s, err := l.Round()
	require.NoError(t, err)
	require.InDelta(t, 1024+24, s.each, 100) // append may have room to spare
}

func TestTimedCountsAllocations(t *testing.T) {
	var kept []*[64]byte
	s := timed(1000, func() {
		kept = make([]*[64]byte, 0, 1000)
		for range 1000 {
			kept = append(kept, new([64]byte))
		}
	})
	require.Len(t, kept, 1000)
	require.InDelta(t, 1, s.allocs, 0.05)
}

var errRefused = errors.New("no slots today")

func TestLoadsPassOnThatALenderCannotOpen(t *testing.T) {
	broken := peer{"broken", "", false, func(int) (lender, error) { return nil, errRefused }}
	for name, open := range map[string]func() (load, error){
		"alone":   func() (load, error) { return openAlone(broken, background, 1, 1) },
		"apart":   func() (load, error) { return openApart(broken, background, 1, 1, 1) },
		"handoff": func() (load, error) { return openHandoff(broken, 2, 1, 1, 0) },
		"crowd":   func() (load, error) { return openCrowd(broken, background, 1, 1, 1, 1) },
		"storm":   func() (load, error) { return openStorm(broken, 1, 1, 1) },
		"waiting": func() (load, error) { return openWaiting(broken, background, 1, 1, 1) },
	} {
		_, err := side{name: name, open: open}.prepare()
		require.ErrorIs(t, err, errRefused, name)
	}
}

// forgetful is a lender that gives nobody its slot a second time.
type forgetful struct{ *counting }

func (f forgetful) Hold(ctx context.Context, tenant string) (func(), error) {
	_, err := f.counting.Hold(ctx, tenant)
	return func() {}, err
}

func TestARoundWithALostWakeUpIsGivenUp(t *testing.T) {
	old := tooLong
	defer func() { tooLong = old }()
	tooLong = 50 * time.Millisecond
	for name, open := range map[string]func(peer) (load, error){
		"handoff": func(p peer) (load, error) { return openHandoff(p, 3, 1, 10, 0) },
		"crowd":   func(p peer) (load, error) { return openCrowd(p, cancellable, 1, 3, 1, 10) },
	} {
		p := peer{"forgetful", "", false, func(slots int) (lender, error) {
			return forgetful{newCounting(slots + 1)}, nil // one to open it with
		}}
		l, err := open(p)
		require.NoError(t, err, name)
		_, err = l.Round()
		require.ErrorIs(t, err, context.Canceled, name)
		l.Close()
	}
}
