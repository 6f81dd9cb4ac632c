//go:build unix

package chromedpfair

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// While its tab is being cleaned a tenant that asks again would get one that
// another tenant had, were the pool to know. It does for a moment, until Reset has
// returned.
func TestATenantThatComesBackAtOnceGetsItsOwnTabAgain(t *testing.T) {
	url := site(t)
	const tenants, leases = 3, 12
	p := newPool(t, Config{TabsPerBrowser: tenants + 1, ReuseSameTenant: true})
	parallel(tenants, tenants, func(i int) {
		for range leases {
			require.Equal(t, "hello", said(t, p, fmt.Sprint("tenant-", i), url))
		}
	})
	taken := p.Stats().Retired[pool.Displaced]
	t.Logf("%d of %d leases took the tab of another tenant", taken, tenants*leases)
	require.Less(t, taken, uint64(tenants*leases/4))
	nothingLost(t, p)
}

// loiter leaves a page that takes its time to become clean.
func loiter(t *testing.T, p *Pool, tenant, url string) {
	err := p.Do(within(t, time.Minute), tenant, func(ctx context.Context) error {
		if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
			return err
		}
		_, err := script(ctx, "open('/endless'); setTimeout(() => { for (;;); }, 20); ''")
		return err
	})
	require.NoError(t, err)
}

func TestATabThatIsBeingCleanedMakesWay(t *testing.T) {
	url := site(t)
	p := newPool(t, Config{TabsPerBrowser: 1, ReuseSameTenant: true})
	for _, tenant := range []string{"a", "b", "a", "c"} {
		loiter(t, p, tenant, url)
	}
	require.Equal(t, "hello", said(t, p, "d", url))
	loiter(t, p, "e", url)
	nothingLost(t, p)

	loiter(t, p, "f", url)
	p.Close() // and nothing is left, as newPool requires
	require.Zero(t, p.Browsers().Cleaning)
}
