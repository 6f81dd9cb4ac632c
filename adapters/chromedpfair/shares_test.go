//go:build unix

package chromedpfair

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A ledger is kept by the tenants themselves, not by the pool: how long they
// have had tabs, and how many pages that gave.
type ledger struct {
	mu    sync.Mutex
	had   map[string]time.Duration
	since map[string]map[int]time.Time // of the tabs that each has now, by worker
	pages map[string]int
}

func newLedger() *ledger {
	return &ledger{
		had: make(map[string]time.Duration), since: make(map[string]map[int]time.Time), pages: make(map[string]int),
	}
}

func (l *ledger) has(tenant string, worker int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since[tenant] == nil {
		l.since[tenant] = make(map[int]time.Time)
	}
	l.since[tenant][worker] = time.Now()
}

func (l *ledger) returns(tenant string, worker int, page bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.had[tenant] += time.Since(l.since[tenant][worker])
	delete(l.since[tenant], worker)
	if page {
		l.pages[tenant]++
	}
}

// read returns the tab-time and the pages of a tenant until now.
func (l *ledger) read(tenant string) (had time.Duration, pages int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	had = l.had[tenant]
	for _, start := range l.since[tenant] {
		had += time.Since(start)
	}
	return had, l.pages[tenant]
}

// keeps has a tenant want tabs all the time, more than there are, until stop.
func (l *ledger) keeps(t *testing.T, p *Pool, tenant string, do func(ctx context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for worker := range p.Stats().Capacity + 2 {
		group.Go(func() {
			for ctx.Err() == nil {
				err := p.Do(within(t, time.Minute), tenant, func(ctx context.Context) (err error) {
					l.has(tenant, worker)
					defer func() { l.returns(tenant, worker, err == nil) }()
					return do(ctx)
				})
				var lost *LostError
				if err != nil && !errors.As(err, &lost) {
					t.Errorf("%s: %v", tenant, err)
				}
			}
		})
	}
	return sync.OnceFunc(func() { cancel(); group.Wait() })
}

// during returns the tabs that each tenant had, on average, while one of them
// loaded so many pages.
func (l *ledger) during(t *testing.T, tenant string, pages int, tenants ...string) (tabs []float64) {
	start := time.Now()
	var before []time.Duration
	for _, name := range tenants {
		had, _ := l.read(name)
		before = append(before, had)
	}
	_, first := l.read(tenant)
	eventually(t, "pages are loaded", func() bool { _, n := l.read(tenant); return n >= first+pages })
	took := time.Since(start)
	for i, name := range tenants {
		had, _ := l.read(name)
		tabs = append(tabs, float64(had-before[i])/float64(took))
	}
	return tabs
}

func TestCrashesLeaveTheTenantsTheirShares(t *testing.T) {
	url := site(t)
	p := newPool(t, Config{Browsers: 2, TabsPerBrowser: 3, ReuseSameTenant: true})
	require.NoError(t, p.Warm(within(t, time.Minute)))
	l := newLedger()
	load := func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(url+"/slow?ms=100")) }
	for _, tenant := range []string{"a", "b"} {
		defer l.keeps(t, p, tenant, load)()
	}
	l.during(t, "a", 10) // until it is steady
	strikes := []struct {
		name string
		do   func()
	}{
		{"all is well", func() {}},
		{"a browser is killed", func() { require.NoError(t, syscall.Kill(running(p)[0].group, syscall.SIGKILL)) }},
		{"a page of a crashes", func() {
			err := p.Do(within(t, time.Minute), "a", crash)
			require.ErrorIs(t, err, ErrTabCrashed)
		}},
	}
	for _, strike := range strikes {
		strike.do()
		tabs := l.during(t, "a", scale(30, 300), "a", "b")
		share := tabs[0] / (tabs[0] + tabs[1])
		t.Logf("%s: a has %.2f tabs, b %.2f: a's share is %.3f", strike.name, tabs[0], tabs[1], share)
		// A page more or less in each tab is 0.05. All tabs of a tenant are in one
		// browser: where that is killed, its tenant has to open them anew.
		require.InDelta(t, 0.5, share, 0.15, strike.name)
	}
	require.EqualValues(t, 1, p.Browsers().Died)
}

// A tenant whose every page crashes, and that comes back for more each time,
// pays for the tabs that it wrecks: a good one has about as many as it has
// beside another good one.
func TestATenantThatWrecksEveryTabTakesNothingFromAnother(t *testing.T) {
	url := site(t)
	p := newPool(t, Config{TabsPerBrowser: 4, ReuseSameTenant: true})
	require.NoError(t, p.Warm(within(t, time.Minute)))
	l := newLedger()
	load := func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(url+"/slow?ms=100")) }
	defer l.keeps(t, p, "good", load)()

	beside := func(name string, do func(ctx context.Context) error) float64 {
		stop := l.keeps(t, p, name, do)
		defer stop()
		l.during(t, "good", 10) // until it is steady
		tabs := l.during(t, "good", scale(40, 400), "good", name)
		t.Logf("beside the %s one, which has %.2f tabs, the good one has %.2f of %d", name, tabs[1], tabs[0], p.Stats().Capacity)
		return tabs[0]
	}
	fair := beside("other", load)
	wrecked := p.Stats().Retired[pool.BadResource]
	got := beside("wrecking", crash)
	require.GreaterOrEqual(t, got, 0.75*fair)
	require.Greater(t, p.Stats().Retired[pool.BadResource], wrecked+10, "nothing was wrecked")
}
