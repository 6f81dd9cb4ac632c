package chromedpfair

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// observe calls look all the time until the test, or stop, ends.
func observe(t *testing.T, look func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ticks := time.NewTicker(time.Millisecond); ctx.Err() == nil; <-ticks.C {
			look()
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func (s BrowserStats) in(state browserState) (n int) {
	for _, b := range s.Running {
		if b.State == string(state) {
			n++
		}
	}
	return n
}

func nothing(context.Context) error { return nil }

func TestARetiredBrowserServesUntilItsSuccessorDoes(t *testing.T) {
	p := newPool(t, Config{
		Browsers: 2, TabsPerBrowser: 2, Sharing: fairshare.Config{Capacity: 2},
		Retire: Retire{MaxTabsServed: 5},
	})
	require.NoError(t, p.Warm(within(t, time.Minute)))
	gaps, most := 0, 0
	stop := observe(t, func() {
		stats := p.Browsers()
		if stats.in(serving) == 0 {
			gaps++
		}
		most = max(most, len(stats.Running))
	})
	for p.Browsers().Retired[TabsServed] < 3 {
		require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
	}
	stop()
	require.Zero(t, gaps, "no browser served")
	require.LessOrEqual(t, most, 2)
	nothingLost(t, p)
}

func TestARetiredBrowserTakesItsPlaceUntilItsProcessesAreReaped(t *testing.T) {
	p := newPool(t, Config{Browsers: 1, TabsPerBrowser: 2, Retire: Retire{MaxTabsServed: 4}})
	root := p.browsers.cfg.ProfileRoot
	seen, most := make(map[int]bool), 0
	stop := observe(t, func() {
		profiles, err := os.ReadDir(root)
		if err == nil {
			most = max(most, len(profiles))
		}
		for _, b := range p.Browsers().Running {
			if !seen[b.PID] {
				for before := range seen {
					if !groupGone(before) {
						t.Errorf("browser %d started before %d was gone", b.PID, before)
					}
				}
				seen[b.PID] = true
			}
		}
	})
	for range 20 {
		require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
	}
	stop()
	require.Equal(t, 1, most, "profiles at once")
	require.GreaterOrEqual(t, len(seen), 5)
	require.GreaterOrEqual(t, p.Browsers().Retired[TabsServed], uint64(4))
	require.Zero(t, p.Browsers().Cut)
}

func TestADrainedBrowserLetsLeasesFinish(t *testing.T) {
	p := newPool(t, Config{Browsers: 1, TabsPerBrowser: 2, Retire: Retire{MaxTabsServed: 1}})
	err := p.Do(within(t, time.Minute), "a", func(ctx context.Context) error {
		eventually(t, "the browser drains", func() bool { return p.Browsers().in(draining) == 1 })
		_, err := script(ctx, "'still there'")
		return err
	})
	require.NoError(t, err)
	require.NoError(t, p.Do(within(t, time.Minute), "b", nothing))
	require.Zero(t, p.Browsers().Cut)
}

func TestTheTimeToDrainIsLimited(t *testing.T) {
	p := newPool(t, Config{Browsers: 1, TabsPerBrowser: 2, Retire: Retire{MaxTabsServed: 1, Drain: 500 * time.Millisecond}})
	err := p.Do(within(t, time.Minute), "a", func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	require.ErrorIs(t, err, ErrBrowserRetired)
	require.ErrorIs(t, err, context.Canceled)
	require.Positive(t, p.Browsers().Cut)
	require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
}

func TestAKeptTabDoesNotKeepARetiredBrowser(t *testing.T) {
	one := fairshare.Config{Default: fairshare.Share{Max: 1}} // so that a tenant waits for the tab that it had
	p := newPool(t, Config{Browsers: 1, TabsPerBrowser: 2, ReuseSameTenant: true, Sharing: one, Retire: Retire{MaxTabsServed: 2}})
	require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
	require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
	require.Zero(t, p.Browsers().Retired[TabsServed], "the tab was not kept")
	require.NoError(t, p.Do(within(t, time.Minute), "b", nothing)) // the second tab, and the last
	eventually(t, "another browser runs", func() bool {
		stats := p.Browsers()
		return stats.Started == 2 && stats.in(serving) == 1
	})
	require.Zero(t, p.Browsers().Cut)
}

func TestABrowserIsRetiredForItsAgeAndItsMemory(t *testing.T) {
	why := map[Retirement]Retire{Age: {MaxAge: time.Second}}
	if memoryKnown {
		why[Memory] = Retire{MaxMemory: 1 << 20}
	}
	for reason, retire := range why {
		t.Run(string(reason), func(t *testing.T) {
			p := newPool(t, Config{Retire: retire, Health: Health{Every: 100 * time.Millisecond, Timeout: time.Minute}})
			memory := int64(0)
			eventually(t, "the browser is replaced, and its memory known", func() bool {
				require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
				stats := p.Browsers()
				for _, b := range stats.Running {
					memory = max(memory, b.Memory)
				}
				known := memory > 100<<20 || !memoryKnown
				return stats.Retired[reason] > 0 && stats.Started > 1 && known
			})
		})
	}
}
