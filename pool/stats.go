package pool

import "github.com/fairpool/fairpool/fairshare"

// Stats are the totals of a Pool. InUse is the number of leases.
type Stats struct {
	fairshare.Stats

	MaxSize    int
	Warm       int // resources ready to be leased
	Building   int // constructors running
	Destroying int // destructors running

	// Since the start.
	Built         uint64
	BuildFailures uint64
	Destroyed     uint64
	Hijacked      uint64

	BuildErr        error  // of the last build, nil if it succeeded
	DestroyFailures uint64 // destructors that panicked or called runtime.Goexit
	DestroyErr      error  // of the last of them, with its stack
}

// Stats returns the totals.
func (p *Pool[T]) Stats() Stats {
	p.line.Lock()
	defer p.line.Unlock()
	return Stats{
		Stats:         p.line.StatsLocked(),
		MaxSize:       p.config.MaxSize,
		Warm:          p.line.ReadyLocked(),
		Building:      p.building,
		Destroying:    p.dying,
		Built:         p.built,
		BuildFailures: p.failing.total,
		Destroyed:     p.destroyed,
		Hijacked:      p.hijacked,

		BuildErr:        p.failing.err,
		DestroyFailures: p.destroyFailures,
		DestroyErr:      p.destroyErr,
	}
}
