package chromedpfair

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
	"github.com/fairpool/fairpool/adapters/internal/unit"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A Config describes a Pool. The zero value is one browser with eight tabs, of
// which every lease gets a fresh one.
type Config struct {
	// Browsers is the most browsers there are at once, those that start, drain
	// or end included; they are started as they are needed. 0 means one, or,
	// with Remote, one for each address.
	Browsers int

	// TabsPerBrowser is the most tabs of one browser that are leased. 0 means
	// eight. The pool has Browsers * TabsPerBrowser tabs, unless
	// Sharing.Capacity says less: that leaves room for a browser to be started
	// before the one that it replaces ends.
	TabsPerBrowser int

	// Prewarm is the number of fresh tabs that each browser keeps ready beside
	// those that are leased, so that a caller need not wait for one to be
	// opened. 0 means a quarter of TabsPerBrowser, at least one; negative means
	// none. A browser never has more than TabsPerBrowser + Prewarm tabs, those
	// being opened and closed included.
	Prewarm int

	// ReuseSameTenant gives each tenant a browser context of its own, which all
	// its tabs share and which outlives them, and keeps a tab for its tenant
	// when a lease ends. Cookies, storage, caches, permissions and logins stay.
	// All else is as in a tab that nobody has used: the page is left, its popups
	// are closed, and what the lease has set on it is gone. A tab whose lease
	// has failed is not kept. When others need the room, it makes way. Callers
	// that name no tenant are one tenant, and share logins: set
	// Sharing.RequireTenant to refuse them.
	//
	// All tabs of a tenant are in one browser, which may so get more than
	// TabsPerBrowser. When that is replaced, the tenant begins anew in another.
	//
	// Without it every lease gets a tab, and a browser context, that nobody has
	// used.
	ReuseSameTenant bool

	// MaxContexts is the most browser contexts that are kept for tenants, with
	// ReuseSameTenant. Beyond that the one that is without a tab for longest
	// goes, with all that is stored in it. 0 means 100, which take about 50 MB
	// if little is stored in them.
	MaxContexts int

	// Context says what the tabs of a tenant are like, nil that they are alike.
	// It is called before each lease, from any goroutine.
	Context func(tenant string) ContextOptions

	// Dialogs says what becomes of the dialogs that a page opens.
	Dialogs DialogPolicy

	// Age is when a kept tab is replaced, with ReuseSameTenant.
	Age pool.Age

	// ExecPath is the browser to launch. "" means that of FindBrowser.
	ExecPath string

	// Options are for launching the browser, beside the default ones of
	// chromedp. The profile folder, the path and the exec.Cmd are the pool's:
	// chromedp.UserDataDir, ExecPath and ModifyCmdFunc have no effect here.
	Options []chromedp.ExecAllocatorOption

	// ProfileRoot is where each browser gets a folder for its profile, which is
	// removed when it has ended. "" means the folder for temporary files.
	ProfileRoot string

	// Remote are the addresses of browsers that run already, to connect to
	// instead of launching any, see package remote of chromedp.
	Remote        []string
	RemoteOptions []remote.Option

	Retire Retire // when a browser is replaced
	Health Health // how a hanging one is found out

	// LaunchTimeout is how long a browser may take to start, or to be connected
	// to. 0 means 30 seconds.
	LaunchTimeout time.Duration

	// OpenTimeout is how long a tab may take to open, and to close. 0 means ten
	// seconds.
	OpenTimeout time.Duration

	// Sharing, Guard, Reclaim and Trace are those of package pool.
	Sharing fairshare.Config
	Guard   pool.Guard
	Reclaim pool.Reclaim
	Trace   pool.Trace

	// Logger is told of browsers that die, hang, are retired or do not start,
	// and what package pool has to say, from a goroutine of its own. nil is
	// silent.
	Logger *slog.Logger
}

// Retire is when a browser is replaced though it works. It goes on serving
// until its successor runs, if Browsers has room for both; then it gets no more
// tabs to open, and ends when the last one is closed. One browser at a time is
// retired.
type Retire struct {
	// MaxTabsServed is the number of tabs after which a browser is retired.
	// 0 means 1,000; negative means never.
	MaxTabsServed int

	// MaxAge is how old a browser gets. 0 means no limit. Up to a tenth is
	// added at random, so that those started together do not end together.
	MaxAge time.Duration

	// MaxMemory is the resident memory in bytes of a browser's process group,
	// pages that its processes share counted for each. 0 means no limit. It is
	// looked at with Health.Every, once the browser has served a tab, and can
	// be told on Linux only.
	MaxMemory int64

	// Drain is how long leases in a retired browser may go on. Then it is
	// killed and their contexts end with ErrBrowserRetired. 0 means 30 seconds.
	Drain time.Duration
}

// Health is how a browser, or a page, that hangs is found out. A browser that
// does not answer within Timeout is killed, and the contexts of its leases end
// with ErrBrowserHung.
type Health struct {
	Every   time.Duration // how often each is asked; 0 means five seconds
	Timeout time.Duration // 0 means ten seconds

	// HangAfter is how long a page may not answer, as it does not while a script
	// of its own runs; it is asked every Every. Then the context of its lease
	// ends with ErrTabHung, and the tab is closed. A page that has a dialog open,
	// or is on its way to one that its server does not send, does not hang.
	// 0 means no limit: such a page may be what its tenant wants, until the
	// deadline of the caller.
	HangAfter time.Duration
}

// check returns the configuration with its defaults, or all that is wrong.
func (c Config) check() (Config, error) {
	var f faults
	c.checkSizes(&f)
	c.checkKind(&f)
	f.duration("LaunchTimeout", &c.LaunchTimeout, 30*time.Second)
	f.duration("OpenTimeout", &c.OpenTimeout, 10*time.Second)
	f.duration("Health.Every", &c.Health.Every, 5*time.Second)
	f.duration("Health.Timeout", &c.Health.Timeout, 10*time.Second)
	f.duration("Health.HangAfter", &c.Health.HangAfter, 0)
	f.duration("Retire.MaxAge", &c.Retire.MaxAge, 0)
	f.duration("Retire.Drain", &c.Retire.Drain, 30*time.Second)
	if c.Dialogs < LeaveDialogs || c.Dialogs > FailOnDialog {
		f.add("Dialogs is %d, which is no policy", c.Dialogs)
	}
	if c.Age != (pool.Age{}) && !c.ReuseSameTenant {
		f.add("Age is set without ReuseSameTenant, where each tab serves one lease")
	}
	return c, errors.Join(f...)
}

func (c *Config) checkSizes(f *faults) {
	if c.Browsers == 0 {
		c.Browsers = max(1, len(c.Remote))
	}
	if c.Browsers < 0 {
		f.add("Browsers is %d, must not be negative", c.Browsers)
	}
	if c.TabsPerBrowser == 0 {
		c.TabsPerBrowser = 8
	}
	if c.TabsPerBrowser < 0 {
		f.add("TabsPerBrowser is %d, must not be negative", c.TabsPerBrowser)
	}
	if c.MaxContexts < 0 {
		f.add("MaxContexts is %d, must not be negative", c.MaxContexts)
	}
	if c.MaxContexts > 0 && !c.ReuseSameTenant {
		f.add("MaxContexts is %d without ReuseSameTenant, where no browser context is kept", c.MaxContexts)
	}
	if c.MaxContexts == 0 {
		c.MaxContexts = 100
	}
	switch {
	case c.Prewarm == 0:
		c.Prewarm = max(1, c.TabsPerBrowser/4)
	case c.Prewarm < 0:
		c.Prewarm = 0
	}
	if tabs := c.Browsers * c.TabsPerBrowser; c.Sharing.Capacity > tabs && tabs > 0 {
		f.add("Sharing.Capacity is %d, more than the %d tabs of Browsers and TabsPerBrowser", c.Sharing.Capacity, tabs)
	}
}

// checkKind checks what is for browsers to be launched, or for those that run.
func (c *Config) checkKind(f *faults) {
	if c.Retire.MaxMemory < 0 {
		f.add("Retire.MaxMemory is %d, must not be negative", c.Retire.MaxMemory)
	}
	if len(c.Remote) == 0 {
		c.checkLaunch(f)
		return
	}
	if c.Browsers > len(c.Remote) {
		f.add("Browsers is %d, more than the %d addresses of Remote", c.Browsers, len(c.Remote))
	}
	for name, set := range map[string]bool{
		"ExecPath":             c.ExecPath != "",
		"Options":              len(c.Options) > 0,
		"ProfileRoot":          c.ProfileRoot != "",
		"Retire.MaxTabsServed": c.Retire.MaxTabsServed > 0,
		"Retire.MaxAge":        c.Retire.MaxAge > 0,
		"Retire.MaxMemory":     c.Retire.MaxMemory > 0,
	} {
		if set {
			f.add("%s is set with Remote, whose browsers are not ours to launch or to end", name)
		}
	}
	c.Retire.MaxTabsServed = -1
}

func (c *Config) checkLaunch(f *faults) {
	if len(c.RemoteOptions) > 0 {
		f.add("RemoteOptions are set without Remote")
	}
	if c.Retire.MaxTabsServed == 0 {
		c.Retire.MaxTabsServed = 1000
	}
	if c.Retire.MaxMemory > 0 && !memoryKnown {
		f.add("Retire.MaxMemory is %d, but the memory of a browser cannot be told on this system", c.Retire.MaxMemory)
	}
	if c.ProfileRoot != "" {
		if info, err := os.Stat(c.ProfileRoot); err != nil || !info.IsDir() {
			f.add("ProfileRoot is %q, which is no folder", c.ProfileRoot)
		}
	}
	if c.ExecPath == "" {
		path, err := FindBrowser()
		if err != nil {
			*f = append(*f, err)
		}
		c.ExecPath = path
	}
}

// faults collects what is wrong with a configuration.
type faults []error

func (f *faults) add(format string, args ...any) {
	*f = append(*f, fmt.Errorf("chromedpfair: Config."+format, args...))
}

// duration checks that d, of the named field, is neither negative nor without its
// unit, and fills in the default for 0.
func (f *faults) duration(field string, d *time.Duration, fallback time.Duration) {
	if fault := unit.Fault(*d); fault != "" {
		f.add("%s is %v, %s", field, *d, fault)
	} else if *d == 0 {
		*d = fallback
	}
}
