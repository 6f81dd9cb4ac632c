package fairshare

import (
	"fmt"
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
	Horizon  time.Duration

	ActiveTenants int // that hold, wait or are joined; each has figures of its own, see Tenants

	OldestWait time.Duration // of the blocked Acquires

	Suspended bool // until Resume

	// Since the start. An Acquire counts as Acquired, Rejected or Canceled, or
	// not at all: if it was refused for a context that had ended before, a close,
	// or a missing tenant.
	Acquired uint64 // those that got what they asked for, one slot or several
	Rejected uint64 // those that found the queue full, would have been late, or asked for too many slots
	Canceled uint64 // those that ended without a slot after they had begun to wait

	// What ended the Canceled ones.
	TimedOut  uint64 // AcquireTimeout
	Expired   uint64 // the deadline of the context
	Abandoned uint64 // the context, which was cancelled
	Failed    uint64 // a close, a failed build or hook, or a newcomer in a full queue

	// The waits that are over, however they ended, those in vain included.
	WaitTime time.Duration // in total
	Waits    Durations     // by their length

	// HoldTime is for how long slots were held in total, as far as anybody
	// looked at the clock at both ends, which was the case TimedHolds times:
	// when somebody waited, or a pool has to know the time. What a tenant is
	// charged for beside its holds is not in it. Of several slots that a pool
	// leases together each is a hold.
	HoldTime   time.Duration
	TimedHolds uint64
	Holds      Durations

	// ShareFuncErr is a *PanicError if the last call of Config.ShareFunc
	// panicked, nil if it returned.
	ShareFuncErr error
}

// Free is the number of slots that nobody holds; 0 also when more are held than a
// Resize has left.
func (s Stats) Free() int { return max(0, s.Capacity-s.InUse) }

// String returns two lines: the figures of the moment, and those since the start.
func (s Stats) String() string {
	suspended := ""
	if s.Suspended {
		suspended = "; suspended"
	}
	return fmt.Sprintf("%d of %d slots in use, %d free; %d waiting, for up to %v; %s active%s\n"+
		"since the start: %d acquired, %d rejected, %d canceled (%d timed out, %d expired, %d abandoned, %d failed); waits: %v; holds: %v",
		s.InUse, s.Capacity, s.Free(), s.Waiting, round(s.OldestWait), count(s.ActiveTenants, "tenant"), suspended,
		s.Acquired, s.Rejected, s.Canceled, s.TimedOut, s.Expired, s.Abandoned, s.Failed, s.Waits, s.Holds)
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
	l.countAllLocked()
	stats := Stats{
		Capacity: l.sched.Capacity(),
		InUse:    l.sched.InUse(),
		Waiting:  l.sched.Waiting(),
		Horizon:  l.sched.Horizon(),

		ActiveTenants: l.sched.Active(),

		OldestWait: l.oldestWaitLocked(),

		Suspended: l.paused,

		Acquired: l.sched.Granted(),
		Rejected: l.sched.Rejected(),
		Canceled: l.sched.Canceled(),

		TimedOut:  l.ends[timedOut],
		Expired:   l.ends[expired],
		Abandoned: l.ends[abandoned],
		Failed:    l.ends[failed],

		WaitTime: l.waited,
		Waits:    l.waits,

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
		l.countAllLocked()
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
