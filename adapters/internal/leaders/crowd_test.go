package leaders_test

import (
	"iter"
	"maps"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/fairpool/fairpool/fairshare"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A crowd is the tenants of a pool as a test would have them.
type crowd map[string]fairshare.TenantStats

func (c crowd) tenants() iter.Seq2[string, fairshare.TenantStats] { return maps.All(c) }

// does has a tenant hold, wait and acquire.
func (c crowd) does(name string, held, waiting int, acquired uint64) {
	s := c[name]
	s.Held, s.Waiting = held, waiting
	s.Acquired += acquired
	c[name] = s
}

func labels(rows []leaders.Row) (all []string) {
	for _, r := range rows {
		all = append(all, r.Label)
	}
	return all
}

func acquired(rows []leaders.Row) map[string]uint64 {
	all := make(map[string]uint64)
	for _, r := range rows {
		all[r.Label] = r.Acquired
	}
	return all
}
