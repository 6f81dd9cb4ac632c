package chromedpfair

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/fairpool/fairpool/pool"
)

// A browserSet keeps browsers running and opens pages in them. Of tenants it
// knows where they are at home, with ReuseSameTenant, and no more: whoever asks
// first is served first, and as the pool asks for no more pages than it has
// slots for, nobody waits for anything but a browser.
//
//	            launch            retire            last page closed
//	(no place) --------> serving --------> draining ----------------> ending --> (reaped)
//	                        |                  |   or time is up        ^
//	                        +------------------+------------------------+
//	                               died, hung
//
// A browser takes one of the Browsers places from before it is launched until
// no process of it runs and its profile is gone. A page takes one of the places
// of its browser from before it is opened until it is closed.
type browserSet struct {
	cfg *Config
	log *slog.Logger

	mu        sync.Mutex
	browsers  []*browser // that take a place, in the order of their launch; those that start are not among them
	orders    []*pageOrder
	wanted    int // browsers that demand has called for
	starting  int // 0 or 1
	last      uint64
	relaunch  relaunch
	closed    bool
	changed   chan struct{} // closed at every change, nil if nobody waits for one
	openings  int           // pages being opened, in all browsers
	closings  int
	cleanings int
	homes     map[string]*home // of tenants, with ReuseSameTenant, in browsers that serve
	uses      uint64           // of homes, so far
	count     counts
}

// account is what a set keeps of one of its browsers.
type account struct {
	state    browserState
	fresh    []*page // ready, for nobody yet
	opening  int
	directed int // of them, for one order each
	leased   int
	closing  int
	served   int
	opened   bool       // a page, ever
	failed   int        // pages that could not be opened, in a row
	retiring Retirement // why its replacement is due, "" if it is not
	resident int64      // memory when it was last looked at
	stop     func()
}

type browserState string

const (
	serving  browserState = "serving"
	draining browserState = "draining"
	ending   browserState = "ending"
)

// pages is how many places are taken.
func (a *account) pages() int { return len(a.fresh) + a.opening + a.leased + a.closing }

func newBrowserSet(cfg *Config) *browserSet {
	log := slog.New(slog.DiscardHandler)
	if cfg.Logger != nil {
		log = newLateLogger(cfg.Logger)
	}
	return &browserSet{cfg: cfg, log: log, relaunch: newRelaunch(), homes: make(map[string]*home), count: counts{retired: make(map[Retirement]uint64)}}
}

// balanceLocked does what is due whenever something has changed: it opens the
// pages that are asked for and those that are to be kept ready, and launches
// and retires browsers.
func (s *browserSet) balanceLocked() {
	if !s.closed {
		s.serveLocked()
		s.prewarmLocked()
		s.launchLocked()
		s.retireLocked()
	}
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func (s *browserSet) changesLocked() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// warm starts as many browsers as are needed for that many tabs, and waits
// until each has its fresh pages, until a launch fails or ctx ends.
func (s *browserSet) warm(ctx context.Context, tabs int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wantLocked(tabs)
	need := s.wanted
	failures := s.relaunch.failures
	s.balanceLocked()
	for {
		ready := 0
		for _, b := range s.browsers {
			if b.state == serving && b.retiring == "" && len(b.fresh) >= s.cfg.Prewarm {
				ready++
			}
		}
		switch {
		case s.closed:
			return fmt.Errorf("chromedpfair: warm-up: %w", pool.ErrClosed)
		case ready >= need:
			return nil
		case s.relaunch.failures > failures:
			return fmt.Errorf("chromedpfair: warm-up: %d of %d browsers are ready: %w", ready, need, s.relaunch.err)
		}
		changed := s.changesLocked()
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if ctx.Err() != nil {
			return fmt.Errorf("chromedpfair: warm-up: %w with %d of %d browsers ready", ctx.Err(), ready, need)
		}
	}
}

// close ends every browser, and the contexts of all pages with pool.ErrClosed
// as the cause. It waits until all is gone.
func (s *browserSet) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.relaunch.stop()
		s.failOrdersLocked(pool.ErrClosed)
		for _, b := range s.browsers {
			if b.state != ending {
				s.endLocked(b, pool.ErrClosed)
			}
		}
	}
	for s.busyLocked() {
		changed := s.changesLocked()
		s.mu.Unlock()
		<-changed
		s.mu.Lock()
	}
}

// busyLocked reports whether anything is left of any browser, or being done
// about its pages.
func (s *browserSet) busyLocked() bool {
	return s.starting+len(s.browsers)+s.openings+s.closings+s.cleanings > 0
}

// sweep removes what processes before this one have left of their browsers.
func (s *browserSet) sweep() {
	swept := sweep(s.cfg.ProfileRoot)
	if s.cfg.ProfileRoot != "" {
		swept += sweep("") // temporary files may be there
	}
	if swept > 0 {
		s.log.Info("folders of browsers whose process has ended are removed", "folders", swept)
	}
}
