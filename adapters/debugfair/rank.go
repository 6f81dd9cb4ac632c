package debugfair

import (
	"slices"

	"github.com/fairpool/fairpool/fairshare"
)

// mostRanked is how many tenants are shown by each criterion.
const mostRanked = 24

// A tenant is one at a moment.
type tenant struct {
	name string
	fairshare.TenantStats
}

// A top is the tenants with the greatest figure of one kind, in order. Of
// equals the first come counts.
type top struct {
	by  func(*tenant) int
	all []tenant
}

func (t *top) offer(c *tenant) {
	figure := t.by(c)
	if figure == 0 || len(t.all) == mostRanked && figure <= t.by(&t.all[mostRanked-1]) {
		return
	}
	at, _ := slices.BinarySearchFunc(t.all, figure, func(x tenant, figure int) int {
		if t.by(&x) >= figure {
			return -1
		}
		return 1
	})
	t.all = slices.Insert(t.all, at, *c)
	t.all = t.all[:min(len(t.all), mostRanked)]
}

// union is the tenants of all lists, each once.
func union(all []tenant, lists []top) []tenant {
	known := map[string]bool{}
	for _, l := range lists {
		for _, t := range l.all {
			if !known[t.name] {
				known[t.name] = true
				all = append(all, t)
			}
		}
	}
	return all
}
