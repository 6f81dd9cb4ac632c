package chromedpfair

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestDoRunsActionsInATab(t *testing.T) {
	url := site(t)
	p := newPool(t, Config{})
	for range 3 {
		var title string
		err := p.Do(within(t, time.Minute), "tenant", func(ctx context.Context) (err error) {
			if err = chromedp.Do(ctx, chromedp.Navigate(url)); err == nil {
				title, err = chromedp.Run(ctx, chromedp.Title())
			}
			return err
		})
		require.NoError(t, err)
		require.Equal(t, "/", title)
	}
	require.EqualValues(t, 1, p.Browsers().Started)
}

func TestTheContextOfALeaseIsTheCallersToo(t *testing.T) {
	p := newPool(t, Config{})
	type key struct{}
	ctx := context.WithValue(fairshare.WithTenant(within(t, time.Minute), "carried"), key{}, "mine")
	deadline, _ := ctx.Deadline()
	cause := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(ctx)
	err := p.Do(ctx, "", func(ctx context.Context) error {
		require.Equal(t, "mine", ctx.Value(key{}))
		require.Equal(t, "carried", fairshare.TenantFrom(ctx))
		got, ok := ctx.Deadline()
		require.True(t, ok)
		require.Equal(t, deadline, got)
		time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		err := chromedp.Do(ctx, chromedp.Sleep(time.Hour))
		require.Equal(t, cause, context.Cause(ctx))
		inner, stop := context.WithCancel(ctx)
		defer stop()
		require.Equal(t, cause, context.Cause(inner))
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	var lost *LostError
	require.False(t, errors.As(err, &lost), "the tab was not lost")
}

func TestACallerInsideALeaseGetsATabOfItsOwn(t *testing.T) {
	p := newPool(t, Config{})
	err := p.Do(within(t, time.Minute), "a", func(outer context.Context) error {
		return p.Do(outer, "b", func(inner context.Context) error {
			a, b := chromedp.FromContext(outer), chromedp.FromContext(inner)
			require.NotEqual(t, a.BrowserContextID, b.BrowserContextID)
			require.NotEqual(t, a.Target.TargetID, b.Target.TargetID)
			return nil
		})
	})
	require.NoError(t, err)
}

func TestATabThatItsHolderClosesIsReplaced(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		p := newPool(t, Config{TabsPerBrowser: 1, ReuseSameTenant: reuse})
		for range 2 {
			err := p.Do(within(t, time.Minute), "a", func(ctx context.Context) error {
				if err := chromedp.Cancel(ctx); err != nil {
					return err
				}
				<-ctx.Done()
				return chromedp.Do(ctx, chromedp.Navigate("about:blank"))
			})
			require.ErrorIs(t, err, ErrTabClosed)
			require.ErrorIs(t, err, pool.ErrBadResource)
		}
		require.NoError(t, p.Do(within(t, time.Minute), "b", func(context.Context) error { return nil }))
	}
}

func TestAPanicUnderDoDestroysTheTab(t *testing.T) {
	p := newPool(t, Config{ReuseSameTenant: true})
	require.PanicsWithValue(t, "oops", func() {
		_ = p.Do(within(t, time.Minute), "a", func(context.Context) error { panic("oops") })
	})
	eventually(t, "the tab is gone", func() bool { return p.Stats().Retired[pool.Destroyed] == 1 && p.Stats().Destroying == 0 })
}

func TestWarmHasTabsReady(t *testing.T) {
	p := newPool(t, Config{Browsers: 2, TabsPerBrowser: 4, Prewarm: 2})
	require.NoError(t, p.Warm(within(t, time.Minute)))
	stats := p.Browsers()
	require.Len(t, stats.Running, 2)
	for _, b := range stats.Running {
		require.Equal(t, 2, b.Ready)
	}
}

func TestCloseEndsTheContextsOfLeases(t *testing.T) {
	p := newPool(t, Config{})
	lease, err := p.Acquire(within(t, time.Minute), "a")
	require.NoError(t, err)
	ctx, cancel := lease.Value().Context(context.Background())
	defer cancel()
	p.Close()
	<-ctx.Done()
	var lost *LostError
	require.ErrorAs(t, context.Cause(ctx), &lost)
	require.ErrorIs(t, lost, pool.ErrClosed)
	require.Error(t, p.Warm(context.Background()))
	_, err = p.Acquire(within(t, time.Minute), "a")
	require.ErrorIs(t, err, pool.ErrClosed)
	lease.Release()
	eventually(t, "the tab has been destroyed", func() bool { return p.Stats().Retired[pool.Stopped] == 1 && p.Stats().Destroying == 0 })
}

func TestShutdownWaitsForLeases(t *testing.T) {
	p := newPool(t, Config{})
	url := site(t)
	started := make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		failed <- p.Do(context.Background(), "a", func(ctx context.Context) error {
			close(started)
			return chromedp.Do(ctx, chromedp.Navigate(url+"/slow?ms=500"))
		})
	}()
	<-started
	require.NoError(t, p.Shutdown(within(t, time.Minute)))
	require.NoError(t, <-failed)
}

// The Go code of a lease may do what it likes to its browser context; the
// browser is not to suffer for it.
func TestAHolderThatDisposesOfItsBrowserContextHarmsNobody(t *testing.T) {
	p := newPool(t, Config{})
	err := p.Pool.Do(within(t, time.Minute), "a", func(ctx context.Context, tab *Tab) error {
		ctx, cancel := tab.Context(ctx)
		defer cancel()
		// The answer may come too late for the context, which ends with the tab.
		_, _ = chromedp.CallBrowser(ctx, target.DisposeBrowserContext, target.DisposeBrowserContextParams{BrowserContextID: tab.BrowserContext()})
		<-ctx.Done()
		return context.Cause(ctx)
	})
	require.ErrorIs(t, err, ErrTabClosed)
	nothingLost(t, p)
	require.EqualValues(t, 1, p.Browsers().Started)
}

func TestARevokedLeaseEndsWithItsCause(t *testing.T) {
	p := newPool(t, Config{})
	err := p.Do(within(t, time.Minute), "a", func(ctx context.Context) error {
		require.Equal(t, 1, p.Revoke(nil, func(pool.Holder) bool { return true }))
		err := chromedp.Do(ctx, chromedp.Sleep(time.Hour))
		require.ErrorIs(t, context.Cause(ctx), pool.ErrRevoked)
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	nothingLost(t, p)
}

// An action that fails with the tab may return before the pool has noticed.
func TestAnErrorThatComesBeforeTheNewsIsToldApartAllTheSame(t *testing.T) {
	life, end := context.WithCancelCause(context.Background())
	defer end(nil)
	connection, detached := make(chan struct{}), make(chan struct{})
	p := &page{browser: &browser{number: 1, conn: &chromedp.Browser{LostConnection: connection}, ctx: context.Background()}, life: life, session: &session{detached: detached}}
	require.NoError(t, p.lost())
	close(detached)
	require.ErrorIs(t, p.lost(), ErrTabClosed)
	p.session = nil
	close(connection)
	require.ErrorIs(t, p.lost(), ErrBrowserDied)
	end(&LostError{ErrBrowserHung, 1})
	require.ErrorIs(t, p.lost(), ErrBrowserHung)
}
