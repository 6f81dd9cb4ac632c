package chromedpfair

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestNewNamesWhatIsWrong(t *testing.T) {
	for text, cfg := range map[string]Config{
		"chromedpfair: Config.Browsers is -1, must not be negative":                                                     {Browsers: -1},
		"chromedpfair: Config.TabsPerBrowser is -8, must not be negative":                                               {TabsPerBrowser: -8},
		"chromedpfair: Config.LaunchTimeout is -1s, must not be negative":                                               {LaunchTimeout: -time.Second},
		"chromedpfair: Config.LaunchTimeout is 30ns, must be at least 1ms; for seconds write 30*time.Second":            {LaunchTimeout: 30},
		"chromedpfair: Config.OpenTimeout is 10ns, must be at least 1ms":                                                {OpenTimeout: 10},
		"chromedpfair: Config.Health.Every is 5ns, must be at least 1ms":                                                {Health: Health{Every: 5}},
		"chromedpfair: Config.Health.Timeout is 5ns, must be at least 1ms":                                              {Health: Health{Timeout: 5}},
		"chromedpfair: Config.Health.HangAfter is 5ns, must be at least 1ms":                                            {Health: Health{HangAfter: 5}},
		"chromedpfair: Config.Retire.MaxAge is 3.6µs, must be at least 1ms":                                             {Retire: Retire{MaxAge: 3600}},
		"chromedpfair: Config.Retire.Drain is 30ns, must be at least 1ms":                                               {Retire: Retire{Drain: 30}},
		"chromedpfair: Config.OpenTimeout is -1s, must not be negative":                                                 {OpenTimeout: -time.Second},
		"chromedpfair: Config.Health.Every is -1s, must not be negative":                                                {Health: Health{Every: -time.Second}},
		"chromedpfair: Config.Health.HangAfter is -1s, must not be negative":                                            {Health: Health{HangAfter: -time.Second}},
		"chromedpfair: Config.Health.Timeout is -1s, must not be negative":                                              {Health: Health{Timeout: -time.Second}},
		"chromedpfair: Config.Retire.MaxAge is -1s, must not be negative":                                               {Retire: Retire{MaxAge: -time.Second}},
		"chromedpfair: Config.Retire.Drain is -1s, must not be negative":                                                {Retire: Retire{Drain: -time.Second}},
		"chromedpfair: Config.Retire.MaxMemory is -5, must not be negative":                                             {Retire: Retire{MaxMemory: -5}},
		"chromedpfair: Config.Age is set without ReuseSameTenant, where each tab serves one lease":                      {Age: pool.Age{MaxUses: 3}},
		"chromedpfair: Config.Sharing.Capacity is 9, more than the 8 tabs of Browsers and TabsPerBrowser":               {Sharing: fairshare.Config{Capacity: 9}},
		`chromedpfair: Config.ProfileRoot is "/nowhere", which is no folder`:                                            {ProfileRoot: "/nowhere"},
		"chromedpfair: Config.RemoteOptions are set without Remote":                                                     {RemoteOptions: []remote.Option{remote.NoModifyURL}},
		"chromedpfair: Config.Browsers is 3, more than the 1 addresses of Remote":                                       {Browsers: 3, Remote: []string{"ws://localhost:1"}},
		"chromedpfair: Config.ExecPath is set with Remote, whose browsers are not ours to launch or to end":             {ExecPath: "x", Remote: []string{"ws://localhost:1"}},
		"chromedpfair: Config.Options is set with Remote, whose browsers are not ours to launch or to end":              {Options: []chromedp.ExecAllocatorOption{chromedp.NoSandbox}, Remote: []string{"ws://localhost:1"}},
		"chromedpfair: Config.Retire.MaxAge is set with Remote, whose browsers are not ours to launch or to end":        {Retire: Retire{MaxAge: time.Hour}, Remote: []string{"ws://localhost:1"}},
		"chromedpfair: Config.Retire.MaxTabsServed is set with Remote, whose browsers are not ours to launch or to end": {Retire: Retire{MaxTabsServed: 1}, Remote: []string{"ws://localhost:1"}},
		"chromedpfair: Config.Sharing.Default.Weight is -1":                                                             {Sharing: fairshare.Config{Default: fairshare.Share{Weight: -1}}},
	} {
		if cfg.ExecPath == "" && len(cfg.Remote) == 0 {
			cfg.ExecPath = "browser"
		}
		_, err := New(cfg)
		require.ErrorContains(t, err, text)
	}
}

func TestNewNamesAllThatIsWrongAtOnce(t *testing.T) {
	_, err := New(Config{ExecPath: "browser", Browsers: -1, OpenTimeout: -1})
	require.ErrorContains(t, err, "Browsers")
	require.ErrorContains(t, err, "OpenTimeout")
}

func TestTheZeroConfigIsOneBrowserWithEightTabs(t *testing.T) {
	cfg, err := Config{ExecPath: "browser"}.check()
	require.NoError(t, err)
	require.Equal(t, 1, cfg.Browsers)
	require.Equal(t, 8, cfg.TabsPerBrowser)
	require.Equal(t, 2, cfg.Prewarm)
	require.Equal(t, 1000, cfg.Retire.MaxTabsServed)
	cfg, err = Config{Remote: []string{"ws://a", "ws://b"}, Prewarm: -1}.check()
	require.NoError(t, err)
	require.Equal(t, 2, cfg.Browsers)
	require.Zero(t, cfg.Prewarm)
}

func TestACallerWithoutATenantIsRefusedAtOnceWhereOneIsRequired(t *testing.T) {
	p, err := New(Config{ExecPath: "browser", ReuseSameTenant: true, Sharing: fairshare.Config{RequireTenant: true}})
	require.NoError(t, err)
	defer p.Close()
	err = p.Do(t.Context(), "", func(context.Context) error { t.Error("called"); return nil })
	require.ErrorIs(t, err, pool.ErrNoTenant)
	require.Zero(t, p.Stats().Building)
}
