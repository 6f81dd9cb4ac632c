package leaders

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// Tenants yields the tenants of a pool or semaphore, as they are when the loop
// begins.
type Tenants = func() iter.Seq2[string, fairshare.TenantStats]

// A Board has the rows of the tenants of one pool. Its methods may be called
// from any goroutine.
type Board struct {
	top  int
	stay time.Duration

	mu      sync.Mutex
	looked  time.Time
	records map[string]*record
	leaders []*record // those that have rows
	rest    Counts    // of all the others, ever
}

// A record is what a Board knows of one tenant.
type record struct {
	name  string
	label string // of its row, "" if it never had one
	stats fairshare.TenantStats
	known bool    // to the pool, at the last look
	fresh Counts  // since the look before
	own   Counts  // while it had a row
	use   float64 // slots that it holds and waits for, smoothed
	leads bool
	since time.Time
}

const (
	// halfLife is how old a use is that counts half as much as that of now.
	halfLife = time.Minute
	// overtake is how many times as much as a tenant with a row one without
	// must use to take its place.
	overtake = 2
)

// NewBoard returns a board on which the first top tenants have rows of their
// own, each for the time stay at least.
func NewBoard(top int, stay time.Duration) *Board {
	return &Board{top: top, stay: stay, records: make(map[string]*record)}
}

// Rows looks at the tenants and returns the rows: those of single tenants by
// label, then that of all others.
func (b *Board) Rows(now time.Time, tenants Tenants) []Row {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.look(now, tenants)
	b.replace(now, b.fill(now, b.rivals()))
	b.count()
	return b.rows()
}

// look brings the records up to date.
func (b *Board) look(now time.Time, tenants Tenants) {
	past := 0.0 // what it still counts
	if !b.looked.IsZero() {
		past = math.Exp2(-max(0, now.Sub(b.looked).Seconds()) / halfLife.Seconds())
	}
	b.looked = now
	for _, r := range b.records {
		r.known, r.fresh = false, Counts{}
	}
	for name, stats := range tenants() {
		r := b.records[name]
		if r == nil {
			r = &record{name: name}
			b.records[name] = r
		}
		r.fresh = between(r.stats, stats)
		r.known, r.stats = true, stats
		r.use = past*r.use + (1-past)*float64(stats.Held+stats.Waiting)
	}
	for name, r := range b.records {
		if r.known {
			continue
		}
		if !r.leads {
			delete(b.records, name)
			continue
		}
		r.stats = fairshare.TenantStats{} // where it will begin if it returns
		r.use *= past
	}
}

// rivals are the tenants without rows, those that use most first.
func (b *Board) rivals() (all []*record) {
	free := len(b.leaders) < b.top
	for _, r := range b.records {
		if !r.leads && (free || r.use > 0) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(r, o *record) int { return o.compare(r) })
	return all
}

// compare orders by use. It leaves no ties.
func (r *record) compare(o *record) int {
	return cmp.Or(cmp.Compare(r.use, o.use), cmp.Compare(r.stats.Acquired, o.stats.Acquired), cmp.Compare(o.name, r.name))
}

// fill gives the rows that are free to the first of the rivals, and returns the
// others.
func (b *Board) fill(now time.Time, rivals []*record) []*record {
	for len(b.leaders) < b.top && len(rivals) > 0 {
		b.leaders = append(b.leaders, rivals[0].lead(now))
		rivals = rivals[1:]
	}
	return rivals
}

func (r *record) lead(now time.Time) *record {
	if r.label == "" {
		r.label = Label(r.name)
	}
	r.leads, r.since = true, now
	return r
}

// replace gives the rows of those that use least, and have had them for long
// enough, to rivals that use far more. What both did since the last look is
// that of others: one has no row any more to show it on, and what a monitoring
// system sees first of a new series does not count there.
func (b *Board) replace(now time.Time, rivals []*record) {
	slices.SortFunc(b.leaders, (*record).compare)
	for i, weak := range b.leaders {
		if len(rivals) == 0 || rivals[0].use <= overtake*weak.use {
			return
		}
		if now.Sub(weak.since) < b.stay {
			continue
		}
		weak.leads = false
		strong := rivals[0].lead(now)
		b.rest.add(strong.fresh)
		strong.fresh = Counts{}
		b.leaders[i], rivals = strong, rivals[1:]
	}
}

// count adds what the tenants did since the last look to their rows.
func (b *Board) count() {
	for _, r := range b.records {
		if r.leads {
			r.own.add(r.fresh)
		} else {
			b.rest.add(r.fresh)
		}
	}
}

func (b *Board) rows() []Row {
	rows := make([]Row, 0, len(b.leaders)+1)
	for _, r := range b.leaders {
		row := Row{Label: r.label, Leads: true, Counts: r.own}
		if r.known {
			row.add(r.stats)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, o Row) int { return cmp.Compare(a.Label, o.Label) })
	others := Row{Label: Others, Counts: b.rest}
	for _, r := range b.records {
		if !r.leads {
			others.add(r.stats)
		}
	}
	return append(rows, others)
}
