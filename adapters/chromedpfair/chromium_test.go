package chromedpfair

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// The tests run with one browser. That the other kind, which opens windows,
// works as well is shown here in brief; with -browser they all run with it.
func TestTheFullBrowserServesToo(t *testing.T) {
	long(t)
	program := throwaway.ProgramFor(t, "chromium", func() (string, error) {
		return exec.LookPath("/usr/lib/chromium/chromium")
	})
	url := site(t)
	p := newPool(t, Config{ExecPath: program, TabsPerBrowser: 2, Prewarm: 1, ReuseSameTenant: true})
	found := make(map[string]string)
	for _, tenant := range []string{"a", "b", "a"} {
		err := p.Do(within(t, time.Minute), tenant, func(ctx context.Context) (err error) {
			// No login: this browser asks a user for it, who is not there.
			if err = chromedp.Do(ctx, chromedp.Navigate(url)); err == nil {
				found[tenant], err = script(ctx, fmt.Sprintf(leaveTraces, tenant))
			}
			return err
		})
		require.NoError(t, err)
	}
	require.Equal(t, none, found["b"])
	require.Equal(t, `["a","a","a","a","a","a","a","prompt"]`, found["a"])
	require.ErrorIs(t, p.Do(within(t, time.Minute), "a", crash), ErrTabCrashed)
	nothingLost(t, p)
}
