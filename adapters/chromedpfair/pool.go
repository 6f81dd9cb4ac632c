package chromedpfair

import (
	"context"
	"errors"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/restate"
	"github.com/fairpool/fairpool/pool"
)

// A Pool is a pool.Pool of tabs, with the browsers that they are in. Close or
// Shutdown ends both.
type Pool struct {
	*pool.Pool[*Tab]
	browsers *browserSet
}

// New returns a pool that has no browser yet: Warm starts them, or the first
// caller does. It returns an error that names each wrong field of cfg and its
// value, or that says what to install if no browser is found.
func New(cfg Config) (*Pool, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	s := newBrowserSet(&cfg)
	patience := cfg.Retire.Drain + leaveTimeout + cfg.LaunchTimeout + cfg.OpenTimeout
	tabs := pool.Config[*Tab]{
		Constructor: func(ctx context.Context) (*Tab, error) {
			if err := s.ready(ctx); err != nil {
				return nil, err
			}
			return &Tab{set: s}, nil // it gets a page when it is known for whom
		},
		Destructor:   (*Tab).destroy,
		MaxSize:      cfg.Browsers * cfg.TabsPerBrowser,
		BuildTimeout: patience,
		Sharing:      cfg.Sharing,
		Age:          pool.Age{MaxUses: 1},
		Health: pool.Health[*Tab]{
			Check:      func(_ context.Context, t *Tab) error { return s.fit(t.current()) },
			CheckAfter: 1, // it costs nothing
			KeepAlive:  time.Second,
		},
		Tenancy: pool.Tenancy[*Tab]{
			Prepare:        func(ctx context.Context, t *Tab, h pool.Handover) error { return t.prepare(ctx, h.Tenant) },
			PrepareTimeout: patience,
		},
		Guard:   cfg.Guard,
		Reclaim: cfg.Reclaim,
		Trace:   cfg.Trace,
		Logger:  cfg.Logger,
	}
	if cfg.ReuseSameTenant {
		tabs.Age = cfg.Age
		tabs.Tenancy.Isolation = pool.Dedicated
		tabs.Tenancy.Reset = func(_ context.Context, t *Tab) error { return t.clean() }
	}
	p, err := pool.New(tabs)
	if err != nil {
		return nil, restate.As("chromedpfair", err)
	}
	if len(cfg.Remote) == 0 {
		s.sweep()
	}
	return &Pool{Pool: p, browsers: s}, nil
}

// fit reports what is wrong with a page that is about to be handed out, or that
// keeps its browser from ending.
func (s *browserSet) fit(p *page) error {
	if p == nil {
		return nil // none yet
	}
	if err := p.lost(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.browser.state != serving {
		return errRetired
	}
	return nil
}

var errRetired = errors.New("chromedpfair: the browser is retired")

// Do waits for a tab on behalf of the tenant, "" meaning the one that ctx
// carries, and calls fn with a context on which to run chromedp's actions. That
// context ends with ctx, when the lease is asked back, and when the tab or its
// browser is lost: then nothing waits for a page that is no more.
//
// If fn fails, the error of Do wraps its error, and beside it what explains it:
// a *LostError if the tab is lost, the cause if the context has ended with one,
// ErrDialog if the page shows a dialog. A tab that is lost is replaced; Do does
// not call fn again, for nobody else knows whether that would do harm. fn must
// not use the context after it has returned.
func (p *Pool) Do(ctx context.Context, tenant string, fn func(ctx context.Context) error) error {
	return p.DoTab(ctx, tenant, func(ctx context.Context, _ *Tab) error { return fn(ctx) })
}

// DoTab is Do for a function that wants the tab as well.
func (p *Pool) DoTab(ctx context.Context, tenant string, fn func(ctx context.Context, tab *Tab) error) error {
	var tab *Tab
	err := p.Pool.Do(ctx, tenant, func(ctx context.Context, t *Tab) error {
		tab = t
		ctx, cancel := t.Context(ctx)
		defer cancel()
		return t.explain(ctx, fn(ctx, t))
	})
	if tab != nil && tab.set.cfg.ReuseSameTenant {
		tab.returned()
	}
	return err
}

// Warm starts as many browsers as the capacity needs, and waits until each has
// its fresh tabs. It returns early with an error if one does not start, if ctx
// ends or if the pool is closed. What was started stays.
func (p *Pool) Warm(ctx context.Context) error {
	return p.browsers.warm(ctx, p.Stats().Capacity)
}

// Browsers returns what the browsers do.
func (p *Pool) Browsers() BrowserStats { return p.browsers.stats() }

// Close ends every wait and every lease, and kills the browsers. It returns
// when none of their processes runs and their profiles are removed. Contexts of
// leases that were out end with a *LostError that unwraps to pool.ErrClosed.
func (p *Pool) Close() {
	p.Pool.Close()
	p.browsers.close()
}

// Shutdown is Close that waits for the leases to return, until ctx ends. If ctx
// ends first, it returns an error that wraps that of ctx and says what is left;
// the browsers are ended all the same.
func (p *Pool) Shutdown(ctx context.Context) error {
	err := p.Pool.Shutdown(ctx)
	p.browsers.close()
	return err
}
