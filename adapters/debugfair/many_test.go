package debugfair_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/adapters/debugfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// A crowd is many tenants that wait for a semaphore, and those that have got a
// slot.
type crowd struct {
	semaphore *fairshare.Semaphore
	all       sync.WaitGroup

	mu      sync.Mutex
	permits []fairshare.Permit
}

func newCrowd(tb testing.TB, slots int) *crowd {
	tb.Helper()
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: slots})
	require.NoError(tb, err)
	tb.Cleanup(s.Close)
	return &crowd{semaphore: s}
}

// come has so many tenants, each once, ask for a slot.
func (c *crowd) come(tb testing.TB, tenants int, name func(i int) string) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(func() {
		cancel()
		c.all.Wait()
	})
	before := c.asked()
	for i := range tenants {
		c.all.Go(func() {
			if p, err := c.semaphore.Acquire(ctx, name(i)); err == nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.permits = append(c.permits, p)
			}
		})
	}
	require.Eventually(tb, func() bool { return c.asked() == before+tenants }, time.Minute, time.Millisecond)
}

// asked is how many hold or wait.
func (c *crowd) asked() int {
	s := c.semaphore.Stats()
	return s.InUse + s.Waiting
}

// pass has so many of the slots change hands.
func (c *crowd) pass(n int) {
	c.mu.Lock()
	n = min(n, len(c.permits))
	going := slices.Clone(c.permits[:n])
	c.permits = slices.Delete(c.permits, 0, n)
	c.mu.Unlock()
	for _, p := range going {
		p.Release()
	}
}

func still(tb testing.TB, source debugfair.Source) *debugfair.Page {
	tb.Helper()
	page, err := debugfair.NewStill(debugfair.Config{Pools: []debugfair.Pool{{Name: "many", Source: source, Waits: new(debugfair.Waits)}}})
	require.NoError(tb, err)
	tb.Cleanup(page.Close)
	return page
}

// pass10Minutes fills the page's history up to now.
func pass10Minutes(page *debugfair.Page, c *crowd) {
	for at := time.Now().Add(-10 * time.Minute); at.Before(time.Now()); at = at.Add(500 * time.Millisecond) {
		page.Sample(at)
		c.pass(1)
	}
}

func TestTheTimeOfAnUpdateDoesNotGrowInStepWithTheTenants(t *testing.T) {
	many := 10_000
	if testing.Short() {
		many = 1_000
	}
	few := updateTime(t, many/10)
	require.Less(t, updateTime(t, many), 5*few, "with ten times as many")
}

// updateTime is the time in ms that one update of the page takes its thread.
func updateTime(t *testing.T, tenants int) float64 {
	t.Helper()
	const slots = 1_000
	c := newCrowd(t, slots)
	c.come(t, slots+1200, func(i int) string { return fmt.Sprint("early ", i%40) })
	page := still(t, debugfair.Semaphore(c.semaphore))
	pass10Minutes(page, c)
	c.come(t, tenants, func(i int) string { return fmt.Sprint("tenant ", i) })
	page.Sample(time.Now())

	server := serve(t, page)
	b := openTab(t, 1280, 900, false)
	b.open(server.URL + "/")
	b.eventually(`document.querySelectorAll(".cells i").length === 1000`)
	eval[any](b, `(() => {
		globalThis.spent = [];
		new PerformanceObserver((list) => { for (const e of list.getEntries()) spent.push(e.duration); }).observe({entryTypes: ["measure"]});
		document.querySelector("[data-window='600']").click();
	})()`)
	b.eventually(`spent.length === 1`)

	const updates = 20
	measure := func() map[string]float64 {
		result, err := chromedp.Run(b.ctx, func(ctx context.Context, target *chromedp.Target) (map[string]float64, error) {
			got, err := cdp.Call(ctx, target, performance.GetMetrics, cdp.Empty{})
			all := map[string]float64{}
			for _, m := range got.Metrics {
				all[m.Name] = m.Value
			}
			return all, err
		})
		require.NoError(t, err)
		return result
	}
	require.NoError(t, chromedp.Do(b.ctx, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
		return chromedp.Void{}, err
	}))
	before := measure()
	for i := range updates {
		c.pass(300)
		page.Sample(time.Now())
		b.eventually(fmt.Sprintf(`spent.length === %d`, i+2))
	}
	after := measure()
	each := func(name string) float64 { return (after[name] - before[name]) / updates * 1000 }
	spent := eval[[]float64](b, `spent`)
	slices.Sort(spent)
	t.Logf("%d tenants, %d slots, 10 minutes shown: an update takes the page's thread %.1f ms (script %.1f, style %.1f, layout %.1f); show alone %.1f ms at the median, %.1f at most",
		tenants, slots, each("TaskDuration"), each("ScriptDuration"), each("RecalcStyleDuration"), each("LayoutDuration"),
		spent[len(spent)/2], spent[len(spent)-1])
	require.Positive(t, each("TaskDuration"))
	b.screenshot("many")
	b.requireQuiet()
	return each("TaskDuration")
}

// retained is the memory that is freed with the page.
func retained(t *testing.T, page **debugfair.Page) int64 {
	t.Helper()
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	with := heap()
	runtime.KeepAlive(*page)
	*page = nil
	return with - heap()
}

func TestWhatAPageKeepsDoesNotGrowWithTheTenants(t *testing.T) {
	kept := func(tenants int, name func(i int) string) int64 {
		c := newCrowd(t, 500)
		c.come(t, 40, func(i int) string { return fmt.Sprint("early ", i) })
		page, err := debugfair.NewStill(debugfair.Config{Pools: []debugfair.Pool{
			{Name: "many", Source: debugfair.Semaphore(c.semaphore), Waits: new(debugfair.Waits)},
		}})
		require.NoError(t, err)
		pass10Minutes(page, c)
		c.come(t, tenants, name)
		for i := range 12 { // a minute
			c.pass(400)
			page.Sample(time.Now().Add(time.Duration(i) * 5 * time.Second))
		}
		return retained(t, &page)
	}
	few := kept(50, func(i int) string { return fmt.Sprint("tenant ", i) })
	long := strings.Repeat("x", 500)
	many := kept(10_000, func(i int) string { return fmt.Sprint(long, i) })
	t.Logf("50 tenants: %d kB, 10,000 with long names: %d kB", few>>10, many>>10)
	require.Less(t, many, int64(4<<20))
	require.Positive(t, few)
}

// What one sample costs, of as many tenants as wait.
func BenchmarkSample(b *testing.B) {
	for _, tenants := range []int{100, 10_000} {
		b.Run(fmt.Sprint(tenants), func(b *testing.B) {
			c := newCrowd(b, 1000)
			c.come(b, tenants+1000, func(i int) string { return fmt.Sprint("tenant ", i%tenants) })
			page := still(b, debugfair.Semaphore(c.semaphore))
			b.ReportAllocs()
			for b.Loop() {
				page.Sample(time.Now())
			}
		})
	}
}

// What a list of all tenants costs, in which time nobody gets a slot.
func BenchmarkTenants(b *testing.B) {
	for _, tenants := range []int{100, 10_000} {
		b.Run(fmt.Sprint(tenants), func(b *testing.B) {
			c := newCrowd(b, 1000)
			c.come(b, tenants+1000, func(i int) string { return fmt.Sprint("tenant ", i%tenants) })
			for b.Loop() {
				for range c.semaphore.Tenants() {
					break
				}
			}
		})
	}
}
