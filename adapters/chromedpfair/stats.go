package chromedpfair

import (
	"maps"
	"time"
)

// BrowserStats is what the browsers of a pool do. Beside it, Pool.Stats has the
// tabs.
type BrowserStats struct {
	Running  []BrowserInfo // by number
	Starting bool          // one is being started
	Waiting  int           // tabs that wait for a browser
	Contexts int           // of tenants, with ReuseSameTenant
	Cleaning int           // kept tabs that are being cleaned

	// Since the start.
	Started        uint64
	Died           uint64 // by themselves
	Hung           uint64 // killed because they did not answer
	Retired        map[Retirement]uint64
	Cut            uint64 // of those, killed when the time to drain was over
	Evicted        uint64 // browser contexts of tenants, see Config.MaxContexts
	Unclean        uint64 // tabs that were closed because they did not become clean, with ReuseSameTenant
	LaunchFailures uint64
	LaunchErr      error // of the last launch, nil if a tab has been opened since
}

// A BrowserInfo is one browser. Its process takes a place until it is reaped.
type BrowserInfo struct {
	Number  uint64
	Address string // of a remote one
	PID     int    // of the browser itself, and the number of its process group; 0 for a remote one
	State   string // "serving", "draining" or "ending"
	Age     time.Duration
	Served  int // tabs leased so far
	Leased  int
	Ready   int   // fresh tabs
	Opening int   // tabs being opened
	Closing int   // tabs being closed
	Memory  int64 // resident, in bytes, when it was last looked at; 0 if it cannot be told
}

// counts are the totals of a set.
type counts struct {
	started, died, hung, cut, evicted, unclean uint64
	retired                                    map[Retirement]uint64
}

func (s *browserSet) stats() BrowserStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := BrowserStats{
		Starting: s.starting > 0, Waiting: len(s.orders), Contexts: len(s.homes), Cleaning: s.cleanings,
		Started: s.count.started, Died: s.count.died, Hung: s.count.hung,
		Retired: maps.Clone(s.count.retired), Cut: s.count.cut, Evicted: s.count.evicted, Unclean: s.count.unclean,
		LaunchFailures: uint64(s.relaunch.failures), LaunchErr: s.relaunch.err,
	}
	for _, b := range s.browsers {
		stats.Running = append(stats.Running, BrowserInfo{
			Number: b.number, Address: b.address, PID: b.group, State: string(b.state), Age: time.Since(b.started),
			Served: b.served, Leased: b.leased, Ready: len(b.fresh), Opening: b.opening, Closing: b.closing,
			Memory: b.resident,
		})
	}
	return stats
}
