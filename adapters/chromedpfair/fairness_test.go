package chromedpfair

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A visit is when a page had a tab.
type visit struct{ start, end time.Time }

// visits loads pages of the site at the same time, as far as the pool lets them.
func visits(t *testing.T, p *Pool, tenant, url string, pages int) []visit {
	all := make([]visit, pages)
	var group sync.WaitGroup
	for i := range pages {
		group.Go(func() {
			err := p.Do(within(t, 4*time.Minute), tenant, func(ctx context.Context) error {
				all[i].start = time.Now()
				defer func() { all[i].end = time.Now() }()
				return chromedp.Do(ctx, chromedp.Navigate(url+"/slow?ms=250"))
			})
			if err != nil {
				t.Errorf("%s: %v", tenant, err)
			}
		})
	}
	group.Wait()
	slices.SortFunc(all, func(a, b visit) int { return a.start.Compare(b.start) })
	return all
}

func TestATenantThatJoinsHasItsShareAPageLater(t *testing.T) {
	url := site(t)
	const tabs = 4
	p := newPool(t, Config{TabsPerBrowser: tabs})
	require.NoError(t, p.Warm(within(t, time.Minute)))
	var first []visit
	done := make(chan struct{})
	go func() {
		defer close(done)
		first = visits(t, p, "first", url, 100)
	}()
	eventually(t, "the first tenant is well on its way", func() bool { return p.Browsers().Running[0].Served >= 20 })
	joined := time.Now()
	second := visits(t, p, "second", url, 5)
	left := time.Now()
	<-done

	// The longest page while both were there, and the longest time from the end
	// of one to the start of the next, for which the machine may have had other
	// things to do, are the unit.
	var page, pause time.Duration
	all := slices.Concat(first, second)
	slices.SortFunc(all, func(a, b visit) int { return a.start.Compare(b.start) })
	ends := slices.Clone(all)
	slices.SortFunc(ends, func(a, b visit) int { return a.end.Compare(b.end) })
	for i, v := range all {
		if !v.end.After(joined) || !v.start.Before(left) {
			continue
		}
		page = max(page, v.end.Sub(v.start))
		if i >= tabs {
			pause = max(pause, v.start.Sub(ends[i-tabs].end))
		}
	}
	unit := page + pause
	t.Logf("a page takes up to %v, and the next comes up to %v later", page.Round(time.Millisecond), pause.Round(time.Millisecond))
	const share = tabs / 2
	for i, v := range second {
		t.Logf("page %d of the second starts after %v", i+1, v.start.Sub(joined).Round(time.Millisecond))
		require.LessOrEqual(t, v.start.Sub(joined), time.Duration(i/share+1)*unit)
	}
	require.True(t, first[len(first)-1].start.After(left), "the first tenant did not want more all the time")
}
