package promfair_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/promfair"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

func TestWithoutTopTenantsThereAreNoSeriesByTenant(t *testing.T) {
	p := newPool(t, 2, nil)
	acquire(t, p, "a").Release()
	require.Empty(t, tenantsOf(gather(t, registry(t, collector(t, p, promfair.Options{Pool: "p"})))))
}

func TestTheNumberOfTenantsWithSeriesIsBounded(t *testing.T) {
	p := newPool(t, 8, nil)
	r := registry(t, collector(t, p, promfair.Options{Pool: "p", TopTenants: 3}))
	l := acquire(t, p, "steady")
	for i := range 1000 {
		acquire(t, p, fmt.Sprint("tenant-", i)).Release()
	}
	series := gather(t, r)
	require.Len(t, tenantsOf(series), 4)
	require.EqualValues(t, 1, series["fairpool_tenant_held{tenant=steady}"])
	require.EqualValues(t, 998, series["fairpool_tenant_acquired_total{tenant=other}"])
	l.Release()
}

// Tenants choose their names; none must break the scrape of the whole process.
func TestNamesOfAnyBytesBecomeLabels(t *testing.T) {
	names := []string{
		"", "other", `"other"`, "\xff", "\xff\xfe", `\xff`, "a\x00b", "line\nbreak", "<script>", "\u202eright to left",
		strings.Repeat("x", 200), strings.Repeat("x", 201), "größe", "tab\t", `back\slash`, `quo"te`, "\xe6\x97", " ",
	}
	p := newPool(t, 1, nil)
	for _, name := range names {
		acquire(t, p, name).Release()
	}
	server := httptest.NewServer(promhttp.HandlerFor(
		registry(t, collector(t, p, promfair.Options{Pool: "p", TopTenants: len(names)})), promhttp.HandlerOpts{}))
	defer server.Close()
	response, err := http.Get(server.URL)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	require.NoError(t, err)
	got := map[string]bool{}
	for _, m := range families["fairpool_tenant_acquired_total"].Metric {
		if label := m.Label[1].GetValue(); label != "other" {
			require.EqualValues(t, 1, m.GetCounter().GetValue(), label)
			got[label] = true
		}
	}
	require.Len(t, got, len(names))
	for _, label := range []string{`""`, `"other"`, `"\xff"`, "line\nbreak", "<script>", "größe"} {
		require.Contains(t, got, label)
	}
}

// Tenants come, use much, and lose their series to others, while two servers
// scrape.
func TestCountersNeverFallWhateverTenantHasSeries(t *testing.T) {
	const tenants, turns, each = 12, 40, 60
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 4, nil)
		r := registry(t, collector(t, p, promfair.Options{Pool: "p", TopTenants: 2}))
		ctx, stop := context.WithCancel(background)
		var using, scraping sync.WaitGroup
		for w := range 6 {
			using.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(w)))
				for range turns {
					name := fmt.Sprint("t", random.IntN(tenants))
					for range each {
						l, err := p.Acquire(background, name)
						if err != nil {
							t.Error(err)
							return
						}
						time.Sleep(time.Duration(random.Int64N(int64(10 * time.Second))))
						l.Release()
					}
				}
			})
		}
		ever := map[string]float64{}
		var mu sync.Mutex
		scrape := func() {
			mu.Lock() // or what was gathered later might be compared first
			defer mu.Unlock()
			for name, value := range gather(t, r) {
				if strings.Contains(name, "_total") {
					require.GreaterOrEqual(t, value, ever[name], name)
					ever[name] = value
				}
			}
		}
		for range 2 {
			scraping.Go(func() {
				for ctx.Err() == nil {
					scrape()
					time.Sleep(15 * time.Second)
				}
			})
		}
		using.Wait()
		stop()
		scraping.Wait()
		scrape()
		sum := 0.0
		for name, value := range ever {
			if strings.HasPrefix(name, "fairpool_tenant_acquired_total") {
				sum += value
			}
		}
		require.EqualValues(t, 6*turns*each, sum)
		require.Greater(t, len(tenantsOf(ever)), 3, "series did change hands")
	})
}

// A scrape may come at any time, from several servers at once.
func TestScrapesMayOverlap(t *testing.T) {
	p := newPool(t, 2, nil)
	r := registry(t, collector(t, p, promfair.Options{Pool: "p", TopTenants: 2}))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				if w%2 == 0 {
					gather(t, r)
				} else {
					acquire(t, p, fmt.Sprint("t", i%7)).Release()
				}
			}
		})
	}
	wg.Wait()
	sum := 0.0
	for name, value := range gather(t, r) {
		if strings.HasPrefix(name, "fairpool_tenant_acquired_total") {
			sum += value
		}
	}
	require.EqualValues(t, 400, sum)
}
