package debugfair_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/debugfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// busyPage is a page on which there is a bit of everything, after ten minutes
// of a load that changes.
func busyPage(t *testing.T) *debugfair.Page {
	t.Helper()
	waits := new(debugfair.Waits)
	tabs, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { return 0, nil },
		MaxSize:     24,
		Sharing:     fairshare.Config{Tenants: map[string]fairshare.Share{"acme": {Weight: 2, Min: 2}, "batch": {Max: 14}}},
		Guard:       pool.Guard{LeakAfter: time.Hour},
	})
	require.NoError(t, err)
	t.Cleanup(tabs.Close)
	api, source := seats(t, 200)
	page, err := debugfair.NewStill(debugfair.Config{
		Title: "shots",
		Pools: []debugfair.Pool{
			{Name: "tabs", Source: tabs, Waits: waits, Figures: func() iter.Seq2[string, string] {
				return debugfair.Pairs("grant", "24 of 200", "left", 8100*time.Millisecond)
			}},
			{Name: "maps API", Source: source, Waits: waits},
		},
	})
	require.NoError(t, err)
	t.Cleanup(page.Close)

	rng := rand.New(rand.NewPCG(1, 2))
	type held struct {
		end     int
		release func()
	}
	var all []held
	defer func() {
		for _, h := range all {
			t.Cleanup(h.release)
		}
	}()
	const moments = 1200
	for i := range moments {
		for k := len(all) - 1; k >= 0; k-- {
			if all[k].end <= i {
				all[k].release()
				all[k] = all[len(all)-1]
				all = all[:len(all)-1]
			}
		}
		take := func(tenant string, n, lasts int) {
			for range n {
				if l, ok := tabs.TryAcquire(tenant); ok {
					all = append(all, held{i + lasts, l.Release})
				}
				if p, ok := api.TryAcquire(tenant); ok {
					all = append(all, held{i + lasts/2, p.Release})
				}
				waits.Observe(time.Duration(rng.ExpFloat64() * float64(40*time.Millisecond)))
			}
		}
		for k, tenant := range []string{"acme", "borealis", "cobalt", "dune"} {
			if rng.IntN(9) < 4-k {
				take(tenant, 1, 6+rng.IntN(14))
			}
		}
		if i%300 == 120 || i == moments-20 {
			take("batch", 12, 60+rng.IntN(40))
		}
		take(fmt.Sprintf("visitor-%d", rng.IntN(60)), 1, 3)
		page.Sample(time.Now().Add(time.Duration(i-moments) * 500 * time.Millisecond))
	}
	for ok := true; ok; {
		var l pool.Lease[int]
		if l, ok = tabs.TryAcquire("dune"); ok {
			all = append(all, held{0, l.Release})
		}
	}
	for tenant, n := range map[string]int{"acme": 4, "batch": 30, "cobalt": 2} {
		queue(t, tabs, tenant, n)
	}
	tabs.Suspend()
	page.Sample(time.Now())
	return page
}

func TestThePageFitsAPhoneAndADesk(t *testing.T) {
	server := serve(t, busyPage(t))
	for _, c := range []struct {
		name          string
		width, height int64
		dark          bool
	}{
		{"desk-light", 1280, 900, false},
		{"desk-dark", 1280, 900, true},
		{"phone-light", 375, 812, false},
		{"phone-dark", 375, 812, true},
		{"narrow", 320, 640, false},
	} {
		b := openTab(t, c.width, c.height, c.dark)
		b.open(server.URL + "/")
		b.eventually(`document.querySelectorAll(".cells i").length > 200`)
		b.requireNoSidewaysScroll()
		eval[any](b, `document.querySelector("[data-window='600']").click()`)
		b.screenshot(c.name)
		eval[any](b, `document.querySelector("#freeze").click()`)
		eval[any](b, `document.querySelector(".holders tbody button").click()`)
		b.eventually(`!document.querySelector("#past").hidden && document.querySelector("#stack:popover-open pre").textContent.includes("busyPage")`)
		b.requireNoSidewaysScroll()
		b.screenshot(c.name + "-frozen")
		background := eval[string](b, `getComputedStyle(document.documentElement).backgroundColor`)
		require.Equal(t, c.dark, background == "rgb(15, 17, 20)", background)
		b.requireQuiet()
	}
}
