package chromedpfair

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A page that takes memory, of the kinds that a browser may forget to give back.
const heavy = `(() => {
	document.body.innerHTML = "<p>text ".repeat(500)
	globalThis.kept = Array.from({length: 20000}, (_, i) => ({i}))
	localStorage.setItem("kept", "x".repeat(1e5))
	const canvas = document.body.appendChild(document.createElement("canvas"))
	canvas.getContext("2d").fillRect(0, 0, 100, 100)
	return "done"
})()`

// One browser, never replaced, serves page after page; what it takes at rest
// does not grow with them.
func TestTheMemoryOfABrowserDoesNotGrowWithThePagesItServes(t *testing.T) {
	if !memoryKnown {
		t.Skip("the memory of a browser cannot be told here")
	}
	for _, reuse := range []bool{false, true} {
		t.Run(fmt.Sprintf("ReuseSameTenant %v", reuse), func(t *testing.T) {
			endures(t, newPool(t, Config{TabsPerBrowser: 4, ReuseSameTenant: reuse, Retire: Retire{MaxTabsServed: -1}}))
		})
	}
}

func endures(t *testing.T, p *Pool) {
	url := site(t)
	require.NoError(t, p.Warm(within(t, time.Minute)))
	rounds := scale(3, 10)
	pages := scale(36, 2000)
	rest := make([]int64, rounds)
	start := time.Now()
	for round := range rounds {
		var workers sync.WaitGroup
		for worker := range 4 {
			workers.Go(func() {
				for range pages / rounds / 4 {
					err := p.Do(within(t, time.Minute), fmt.Sprint(worker), func(ctx context.Context) error {
						if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
							return err
						}
						_, err := script(ctx, heavy)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		workers.Wait()
		rest[round] = restingMemory(t, p)
		t.Logf("%5d pages: %d MB at rest, after %v", (round+1)*(pages/rounds/4*4), rest[round]>>20, time.Since(start).Round(time.Second))
	}
	require.EqualValues(t, 1, p.Browsers().Started)
	require.Less(t, rest[rounds-1], rest[0]+rest[0]/2)
	nothingLost(t, p)
}

// restingMemory is what the only browser takes when the pages are closed and
// their processes have ended, which they do in their own time: when it has not
// become less for half a second.
func restingMemory(t *testing.T, p *Pool) (least int64) {
	b := running(p)[0]
	for still := 0; still < 10; still++ {
		if memory := b.memory(); least == 0 || memory < least {
			least, still = memory, 0
		}
		time.Sleep(50 * time.Millisecond)
	}
	return least
}
