package pool

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// Stats are the totals of a Pool. InUse is the number of slots that tenants are
// charged for: beside the leases those whose resource is being reset, or is
// destroyed or built again at the tenant's expense.
//
// Built is always Alive + Destroying + Destroyed + Hijacked.
type Stats struct {
	fairshare.Stats

	MaxSize    int
	Warm       int // resources ready to be leased
	Leased     int // resources leased, or being made ready for it
	Resetting  int // Tenancy.Reset running
	Checking   int // resources withdrawn for a Check by KeepAlive
	Building   int // constructors running
	Destroying int // destructors running
	Stale      int // resources of an earlier generation, see ResetGradually

	Closed bool

	// Since the start.
	Built     uint64
	Destroyed uint64
	Hijacked  uint64
	BuildTime time.Duration // of all builds, failed ones included
	Retired   map[Retirement]uint64

	BuildFailures   uint64 // builds that hang included
	BuildHangs      uint64 // constructors that outlasted BuildTimeout and did not return
	CheckFailures   uint64
	PrepareFailures uint64
	ResetFailures   uint64
	DestroyFailures uint64 // destructors that panicked or called runtime.Goexit
	DestroyHangs    uint64 // destructors that outlasted DestroyTimeout
	BuildErr        error  // of the last build, nil if it succeeded
	DestroyErr      error  // of the last destructor that failed

	Condemned   uint64 // generations, by MarkBad
	Revocations uint64
	Leaks       uint64 // leases longer than LeakAfter
	Lost        uint64 // leases found by DetectLost
	Deadlocks   uint64 // see Guard.ForbidNested
}

// Alive is the number of resources that are built and not being destroyed: idle,
// leased, being reset or checked.
func (s Stats) Alive() int { return s.Warm + s.Leased + s.Resetting + s.Checking }

// Total is the number of resources that count against MaxSize: those alive, being
// built and being destroyed.
func (s Stats) Total() int { return s.Alive() + s.Building + s.Destroying }

// String returns two lines: the figures of the moment, and those since the start.
func (s Stats) String() string {
	now, before, _ := strings.Cut(s.Stats.String(), "\n")
	if s.Closed {
		now += "; closed"
	}
	return fmt.Sprintf("%d of %d resources: %d idle, %d leased, %d resetting, %d checking, %d building, %d destroying; %s\n"+
		"%s; %d built, %d destroyed, %d hijacked, %d builds failed",
		s.Total(), s.MaxSize, s.Warm, s.Leased, s.Resetting, s.Checking, s.Building, s.Destroying, now,
		before, s.Built, s.Destroyed, s.Hijacked, s.BuildFailures)
}

// Stats returns the totals.
func (p *Pool[T]) Stats() Stats {
	p.line.Lock()
	defer p.line.Unlock()
	return Stats{
		Stats:      p.line.StatsLocked(),
		MaxSize:    p.config.MaxSize,
		Warm:       p.line.ReadyLocked(),
		Leased:     p.leasedLocked(),
		Resetting:  p.resetting,
		Checking:   p.checking,
		Building:   p.building,
		Destroying: p.dying,
		Stale:      p.stale,

		Closed: p.closed,

		Built:     p.built,
		Destroyed: p.destroyed,
		Hijacked:  p.hijacked,
		BuildTime: p.buildTime,
		Retired:   maps.Clone(p.retired),

		BuildFailures:   p.failing.total,
		BuildHangs:      p.buildHangs,
		CheckFailures:   p.hooks[checking].failures,
		PrepareFailures: p.hooks[preparing].failures,
		ResetFailures:   p.hooks[resetting].failures,
		DestroyFailures: p.destroyFailures,
		DestroyHangs:    p.destroyHangs,
		BuildErr:        p.failing.err,
		DestroyErr:      p.destroyErr,

		Condemned:   p.condemned,
		Revocations: p.revocations,
		Leaks:       p.leaks,
		Lost:        p.lostLeases,
		Deadlocks:   p.deadlocks,
	}
}

// leasedLocked is the number of leases that are out.
func (p *Pool[T]) leasedLocked() int {
	return p.live - p.line.ReadyLocked() - p.resetting - p.checking
}
