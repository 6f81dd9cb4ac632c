package debugfair

import (
	"iter"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A Source is what the page looks at. Every *pool.Pool is one; Semaphore makes
// one of a semaphore. The page calls one method at a time.
type Source interface {
	Stats() pool.Stats
	Tenants() iter.Seq2[string, fairshare.TenantStats]
	Holders() iter.Seq[pool.Holder]
}

// A Pool is a Source and how to show it.
type Pool struct {
	// Name tells the pools of a page apart. It is required.
	Name string

	// Source is required.
	Source Source

	// Waits tells how long Acquires waited that were not served at once.
	// Without it the page shows the mean wait of all that got a slot, instead
	// of percentiles.
	Waits *Waits

	// Figures yields further figures to show, such as the grant of a pool that
	// is a part of a fleet, each a label and a value. It is called with every
	// sample, in the page's goroutine, and must not block. The first 24 are
	// shown. nil means none.
	Figures func() iter.Seq2[string, string]
}

// Semaphore returns the semaphore as a Source. It does not know its holders
// one by one.
func Semaphore(s *fairshare.Semaphore) Source { return semaphore{s} }

type semaphore struct{ *fairshare.Semaphore }

func (s semaphore) Stats() pool.Stats { return pool.Stats{Stats: s.Semaphore.Stats()} }

func (semaphore) Holders() iter.Seq[pool.Holder] { return func(func(pool.Holder) bool) {} }
