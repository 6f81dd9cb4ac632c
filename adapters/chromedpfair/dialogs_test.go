//go:build unix

package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// nosy is a site whose pages ask while they load.
func nosy(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<!DOCTYPE html><p><script>
			const told = [alert("welcome"), confirm("sure?"), prompt("name?", "nobody")].join()
			document.querySelector("p").textContent = "told " + told
			addEventListener("beforeunload", e => { e.preventDefault(); return e.returnValue = "stay" })
		</script>`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestDialogsAreAnsweredAsThePolicySays(t *testing.T) {
	for policy, want := range map[DialogPolicy]string{AcceptDialogs: "told ,true,nobody", DismissDialogs: "told ,false,"} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			inBothModes(t, func(t *testing.T, cfg Config) {
				if cfg.costly() && policy == DismissDialogs {
					return
				}
				url := nosy(t)
				cfg.Dialogs, cfg.TabsPerBrowser = policy, 1
				p := newPool(t, cfg)
				for range 2 {
					err := p.Do(within(t, time.Minute), "a", func(ctx context.Context) error {
						for i := range 2 { // the second time it has to be left, which it asks about once it was touched
							if err := chromedp.Do(ctx, chromedp.Navigate(fmt.Sprint(url, "/", i)), chromedp.Click(chromedp.CSS("p"))); err != nil {
								return err
							}
							if text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body"))); err != nil || text != want {
								return fmt.Errorf("the page was told %q: %w", text, err)
							}
						}
						return nil
					})
					require.NoError(t, err)
				}
				nothingLost(t, p)
			})
		})
	}
}

func TestADialogThatNobodyAnswersIsInTheError(t *testing.T) {
	inBothModes(t, func(t *testing.T, cfg Config) {
		url := nosy(t)
		cfg.TabsPerBrowser = 1
		p := newPool(t, cfg)
		late := errors.New("too late for me")
		err := p.Do(within(t, time.Minute), "a", func(ctx context.Context) error {
			ctx, cancel := context.WithTimeoutCause(ctx, patience, late)
			defer cancel()
			return chromedp.Do(ctx, chromedp.Navigate(url))
		})
		require.ErrorIs(t, err, ErrDialog)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, `alert "welcome"`)
		require.NotErrorIs(t, err, pool.ErrBadResource)

		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, late)
		defer cancel()
		err = p.Do(ctx, "a", func(ctx context.Context) error { // one that the code answers
			return dialog(ctx, func() error { _, err := script(ctx, "alert('well?'); ''"); return err }, func() { go answer(ctx, true) })
		})
		require.NoError(t, err)
		nothingLost(t, p)
	})
}

func TestADialogEndsTheLeaseIfThePolicyIsToFail(t *testing.T) {
	inBothModes(t, func(t *testing.T, cfg Config) {
		url := nosy(t)
		cfg.Dialogs, cfg.TabsPerBrowser = FailOnDialog, 1
		p := newPool(t, cfg)
		for range 2 {
			err := p.Do(context.Background(), "a", func(ctx context.Context) error { // without a deadline
				return chromedp.Do(ctx, chromedp.Navigate(url))
			})
			require.ErrorIs(t, err, ErrDialog)
			require.ErrorIs(t, err, pool.ErrBadResource, "its tenant pays")
			require.ErrorAs(t, err, new(*LostError))
		}
		require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
		require.Zero(t, p.Browsers().Died+p.Browsers().Hung)
		nothingLost(t, p)
	})
}

// Why a caller has given up is in the error, and not only that it has.
func TestTheErrorOfALeaseHasTheCauseOfItsCaller(t *testing.T) {
	p := newPool(t, Config{})
	cause := errors.New("the customer has hung up")
	ctx, cancel := context.WithCancelCause(within(t, time.Minute))
	err := p.DoTab(ctx, "a", func(ctx context.Context, tab *Tab) error {
		require.Equal(t, tab.BrowserContext(), chromedp.FromContext(ctx).BrowserContextID)
		cancel(cause)
		return chromedp.Do(ctx, chromedp.Sleep(time.Hour))
	})
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, errors.As(err, new(*LostError)), "the tab was not lost")
}
