package adversary

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// An arena is a sched.Scheduler in virtual time, driven as a semaphore drives
// it: nobody looks at the clock while nobody waits, and the time is 0 then.
type arena struct {
	s      *sched.Scheduler
	rng    *rand.Rand
	now    time.Duration
	events eventQueue
	seq    int
	played int // events so far

	parties  []*party
	parts    []float64 // of what is in use, due to each party; nil: not worked out
	mark     time.Duration
	capacity int
	longest  time.Duration // hold so far
	horizon  time.Duration // the greatest so far
	timed    int           // releases, up to window
	mean     float64       // holding time of these, in seconds
	usual    float64       // the greatest mean so far
	least    int           // capacity so far
	noCredit bool
}

// A party is what one tenant had, or several that count together.
type party struct {
	name   string
	share  sched.Share
	demand float64 // slots that it could use at most

	names int // under which it asks; 0: one

	held     int
	most     int
	slotTime float64 // slot-seconds
	due      float64 // slot-seconds that its share came to
	waits    []time.Duration
}

// A job is one request for a slot.
type job struct {
	sched.Waiter
	p      *party
	tenant *sched.Tenant
	asked  time.Duration
	stamp  time.Duration
	hold   func() time.Duration // called at the grant
	served func()               // after the grant; nil: nothing
	done   func()               // after the release; nil: nothing
}

// window is how many releases the mean holding time of package sched reaches back.
const window = 1024

func newArena(seed uint64, cfg sched.Config) *arena {
	if cfg.Default.Weight == 0 {
		cfg.Default.Weight = 1
	}
	return &arena{s: sched.New(cfg), rng: rand.New(rand.NewPCG(seed, 0)), now: 1, mark: 1, capacity: cfg.Capacity, least: cfg.Capacity, noCredit: cfg.Burst < 0}
}

// party adds a tenant that could use so many slots.
func (a *arena) party(name string, share sched.Share, demand float64) *party {
	if share.Weight == 0 {
		share.Weight = 1
	}
	p := &party{name: name, share: share, demand: demand}
	a.parties, a.parts = append(a.parties, p), nil
	a.s.SetShare(a.now, name, share)
	return p
}

func (a *arena) stamp() time.Duration {
	if a.s.Contended() {
		return a.now
	}
	return 0
}

// ask asks for a slot under the given name.
func (a *arena) ask(p *party, name string, hold func() time.Duration, served, done func()) *job {
	j := &job{p: p, asked: a.now, hold: hold, served: served, done: done}
	j.Owner = j
	now := a.stamp()
	j.tenant = a.s.Tenant(now, name)
	if a.s.Available(j.tenant) {
		a.s.Grant(now, j.tenant)
		a.begin(j, now)
	} else {
		a.s.Enqueue(a.now, j.tenant, &j.Waiter)
	}
	return j
}

func (a *arena) begin(j *job, stamp time.Duration) {
	if a.s.InUse() > a.s.Capacity() {
		panic("a grant beyond the capacity")
	}
	a.settle()
	j.stamp = stamp
	j.p.held++
	j.p.most = max(j.p.most, j.p.held)
	j.p.waits = append(j.p.waits, a.now-j.asked)
	hold := j.hold()
	a.longest = max(a.longest, hold)
	a.after(hold, func() { a.release(j) })
	if j.served != nil {
		j.served()
	}
}

func (a *arena) release(j *job) {
	now := a.stamp()
	a.settle()
	j.p.held--
	if hold := now - j.stamp; j.stamp > 0 && hold > 0 {
		a.timed = min(a.timed+1, window)
		a.mean += (hold.Seconds() - a.mean) / float64(a.timed)
		a.usual = max(a.usual, a.mean)
	}
	a.s.Release(now, j.tenant, j.stamp)
	a.dispatch(now)
	if j.done != nil {
		j.done()
	}
}

func (a *arena) dispatch(now time.Duration) {
	if a.s.Demand() == 0 {
		return
	}
	for w := a.s.Next(now); w != nil; w = a.s.Next(now) {
		a.begin(w.Owner.(*job), now)
	}
}

// cancel ends the wait of j, if it still waits.
func (a *arena) cancel(j *job) {
	if j.Seq() != 0 {
		a.s.Cancel(a.now, &j.Waiter)
	}
}

func (a *arena) resize(capacity int) {
	a.settle()
	a.capacity, a.least, a.parts = capacity, min(a.least, capacity), nil
	a.s.Resize(a.stamp(), capacity)
	a.dispatch(a.stamp())
}

func (a *arena) setShare(p *party, share sched.Share) {
	a.settle()
	p.share, a.parts = share, nil
	a.s.SetShare(a.stamp(), p.name, share)
	a.dispatch(a.stamp())
}

// workers keeps n requests going: each asks again as soon as it has released.
func (a *arena) workers(p *party, n int, hold func() time.Duration) {
	for range n {
		a.work(p, hold)
	}
}

func (a *arena) work(p *party, hold func() time.Duration) {
	a.ask(p, p.name, hold, nil, func() { a.work(p, hold) })
}

// divide works out which part of what is in use is due to whom: by weighted
// max-min fairness.
func (a *arena) divide() {
	claims := make([]sched.Claim, len(a.parties))
	for i, p := range a.parties {
		demand, names := p.demand, max(p.names, 1)
		if p.share.Max > 0 {
			demand = min(demand, float64(p.share.Max*names))
		}
		claims[i] = sched.Claim{Weight: p.share.Weight * float64(names), Demand: demand}
	}
	a.parts = sched.MaxMin(float64(max(a.capacity, 1)), claims)
	sum := 0.0
	for _, part := range a.parts {
		sum += part
	}
	for i := range a.parts {
		a.parts[i] /= sum
	}
}

// settle counts what everybody has had until now, and what was due: its part of
// what is in use, or its Min if that is more.
func (a *arena) settle() {
	elapsed := (a.now - a.mark).Seconds()
	if elapsed == 0 {
		return
	}
	if a.parts == nil {
		a.divide()
	}
	a.mark = a.now
	inUse := 0.0
	for _, p := range a.parties {
		inUse += float64(p.held)
	}
	for i, p := range a.parties {
		p.due += max(a.parts[i]*inUse, min(float64(p.share.Min), p.demand, float64(a.capacity))) * elapsed
		p.slotTime += float64(p.held) * elapsed
	}
}

// measure starts all figures over.
func (a *arena) measure() {
	a.settle()
	for _, p := range a.parties {
		p.slotTime, p.due, p.waits = 0, 0, nil
	}
}

// run lets d pass, or so many events at most.
func (a *arena) run(d time.Duration, events int) {
	until := a.now + d
	for ; len(a.events) > 0 && a.events[0].at <= until && events > 0; events-- {
		e := heap.Pop(&a.events).(*event)
		a.now = e.at
		e.fn()
		a.played++
		a.horizon = max(a.horizon, a.s.Horizon())
	}
	if events > 0 {
		a.now = until
	}
	a.settle()
}

func (a *arena) after(d time.Duration, fn func()) {
	a.seq++
	heap.Push(&a.events, &event{a.now + max(d, 1), a.seq, fn})
}

func (a *arena) exponential(mean time.Duration) func() time.Duration {
	return func() time.Duration { return 1 + time.Duration(a.rng.ExpFloat64()*float64(mean)) }
}

// pareto has an infinite variance for shapes up to 2. It is cut at a hundred
// times the mean.
func (a *arena) pareto(shape float64, mean time.Duration) func() time.Duration {
	least := float64(mean) * (shape - 1) / shape
	return func() time.Duration {
		return min(time.Duration(least*math.Pow(1-a.rng.Float64(), -1/shape)), 100*mean)
	}
}

func constant(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

type event struct {
	at  time.Duration
	seq int
	fn  func()
}

// An eventQueue is a heap: the earliest first, and those of the same time in
// the order in which they were set.
type eventQueue []*event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(e any)   { *q = append(*q, e.(*event)) }
func (q *eventQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
