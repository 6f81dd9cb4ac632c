package otelfair

import (
	"iter"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// Stats are the totals of a pool or of a semaphore.
type Stats interface{ pool.Stats | fairshare.Stats }

// A Source is what there is to see: a *pool.Pool of any kind of resource, or a
// *fairshare.Semaphore.
type Source[S Stats] interface {
	Stats() S
	Tenants() iter.Seq2[string, fairshare.TenantStats]
}

// read returns a function that reads the totals. Those of a semaphore are those
// of a pool as far as they go.
func read[S Stats](source Source[S]) func() pool.Stats {
	return func() pool.Stats {
		switch s := any(source.Stats()).(type) {
		case fairshare.Stats:
			return pool.Stats{Stats: s}
		case pool.Stats:
			return s
		}
		panic("unreachable")
	}
}

// ofPool reports whether the totals are those of a pool.
func ofPool[S Stats]() bool {
	_, ok := any(*new(S)).(pool.Stats)
	return ok
}
