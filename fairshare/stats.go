package fairshare

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// Stats are the totals of a Semaphore, and of the sharing of a pool.
type Stats struct {
	Capacity int // slots in force
	InUse    int // slots held
	Waiting  int // blocked Acquires
	Tenants  int // that hold, wait or are joined
	Horizon  time.Duration

	OldestWait time.Duration // of the blocked Acquires

	Suspended bool // until Resume

	// Since the start.
	Acquired uint64        // grants, of one slot or several
	WaitTime time.Duration // that the granted ones had waited in total
	Waits    Durations     // of those that had to wait
	Rejected uint64        // Acquires that found the queue full, would have been late, or asked for too many slots
	Canceled uint64        // waits that ended without a slot

	// HoldTime is for how long slots were held in total, as far as anybody
	// looked at the clock at both ends, which was the case TimedHolds times:
	// when somebody waited, or a pool has to know the time.
	HoldTime   time.Duration
	TimedHolds uint64
	Holds      Durations

	// ShareFuncErr is a *PanicError if the last call of Config.ShareFunc
	// panicked, nil if it returned.
	ShareFuncErr error
}

// TenantStats are the figures of one tenant.
type TenantStats struct {
	Share   Share
	Cap     int // most slots it may hold now, 0: no cap
	Held    int
	Waiting int
	Joined  bool

	// Entitled is the number of slots that would be the tenant's now, if the
	// capacity were divided by weight among those that hold or wait, and what
	// one cannot use among the others (weighted max-min fairness).
	Entitled float64

	// Service is the slot-time over weight that the tenant was charged: what
	// it held while somebody waited. Debt is how far it is ahead of the
	// tenants that wait; a negative one is credit.
	Service time.Duration
	Debt    time.Duration

	OldestWait time.Duration // of the waiter next in line

	Acquired uint64
	Rejected uint64
	Canceled uint64
}

// StatsLocked returns the totals.
func (l *Line) StatsLocked() Stats {
	stats := Stats{
		Capacity: l.sched.Capacity(),
		InUse:    l.sched.InUse(),
		Waiting:  l.sched.Waiting(),
		Tenants:  l.sched.Active(),
		Horizon:  l.sched.Horizon(),

		OldestWait: l.oldestWaitLocked(),

		Suspended: l.paused,

		Acquired: l.sched.Granted(),
		WaitTime: l.waited,
		Waits:    l.waits,
		Rejected: l.sched.Rejected(),
		Canceled: l.sched.Canceled(),

		HoldTime:   l.held,
		TimedHolds: l.timedHolds,
		Holds:      l.holds,
	}
	if l.strict != nil {
		stats.ShareFuncErr = l.strict.err
	}
	return stats
}

// Tenants yields the tenants that are known when the loop begins, by name: the
// active ones and the departed ones still remembered. The lock is held for a few of
// them at a time, so the figures of two tenants may be of different moments.
func (l *Line) Tenants() iter.Seq2[string, TenantStats] {
	return func(yield func(string, TenantStats) bool) {
		type named struct {
			name  string
			stats TenantStats
		}
		l.Lock()
		capacity := l.sched.Capacity()
		known := slices.AppendSeq(make([]*sched.Tenant, 0, l.sched.Known()), l.sched.Tenants())
		l.Unlock()
		all := make([]named, 0, len(known))
		var claims []sched.Claim
		var claimants []int // among all
		for few := range slices.Chunk(known, statsChunk) {
			l.Lock()
			for t, s := range l.sched.Statuses(l.now, few) {
				if claim, ok := l.sched.Claim(t); ok {
					claims, claimants = append(claims, claim), append(claimants, len(all))
				}
				all = append(all, named{t.Name(), TenantStats{
					Share: Share(s.Share), Cap: s.Cap,
					Held: t.Held(), Waiting: t.Waiting(), Joined: s.Joined,
					Service: s.Service, Debt: s.Debt, OldestWait: s.Oldest,
					Acquired: s.Granted, Rejected: s.Rejected, Canceled: s.Canceled,
				}})
			}
			l.Unlock()
		}
		for i, part := range sched.MaxMin(float64(capacity), claims) { // it sorts
			all[claimants[i]].stats.Entitled = part
		}
		slices.SortFunc(all, func(a, b named) int { return strings.Compare(a.name, b.name) })
		for _, n := range all {
			if !yield(n.name, n.stats) {
				return
			}
		}
	}
}

// statsChunk is for how many tenants the lock is held at a time: some ten
// microseconds.
const statsChunk = 128

func (l *Line) oldestWaitLocked() (oldest time.Duration) {
	for t := range l.sched.Queued() {
		oldest = max(oldest, l.now-t.First().Since())
	}
	return oldest
}
