package sched

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
)

// A simulation is a load on a Scheduler in virtual time. It calls the scheduler
// the way fairshare.Line does, which includes that nobody looks at the clock
// while nobody waits: the time is 0 then.
type simulation struct {
	t   require.TestingT
	s   *Scheduler
	rng *rand.Rand

	now    time.Duration
	timed  bool // the clock is read with every call, as with RejectLate
	events eventQueue
	seq    int
	wake   time.Duration // when it looks whether slots are collected in vain

	clients []*client
	since   time.Duration // when the figures of the clients start
}

// A client is one tenant of a simulation and what became of its requests.
type client struct {
	name  string
	hold  func(*rand.Rand) time.Duration
	slots func(*rand.Rand) int // that a request asks for, nil: 1

	held     int
	mark     time.Duration
	slotTime float64 // slot-seconds held
	squares  float64 // integral of the square of held
	waits    []time.Duration
}

// A job is one request for a slot, held for a while once it is granted.
type job struct {
	Waiter
	client *client
	tenant *Tenant
	asked  time.Duration
	since  time.Duration // the stamp of the grant, as Slot.since in fairshare
	n      int           // slots
	hold   time.Duration
	done   func() // after the release, nil: nothing
}

func simulate(t require.TestingT, seed uint64, cfg Config) *simulation {
	if cfg.Default.Weight == 0 {
		cfg.Default.Weight = 1
	}
	return &simulation{t: t, s: New(cfg), rng: rand.New(rand.NewPCG(seed, 0)), now: 1, since: 1}
}

// client adds a tenant; hold draws its holding times.
func (m *simulation) client(name string, hold func(*rand.Rand) time.Duration) *client {
	c := &client{name: name, hold: hold, mark: m.now}
	m.clients = append(m.clients, c)
	return c
}

// stamp is the time as Line.Lock finds it.
func (m *simulation) stamp() time.Duration {
	if m.timed || m.s.Contended() {
		return m.now
	}
	return 0
}

// acquire asks for a slot now, or as many as c asks for.
func (m *simulation) acquire(c *client, hold time.Duration, done func()) *job {
	n := 1
	if c.slots != nil {
		n = c.slots(m.rng)
	}
	return m.acquireN(c, n, hold, done)
}

func (m *simulation) acquireN(c *client, n int, hold time.Duration, done func()) *job {
	now := m.stamp()
	j := &job{client: c, asked: m.now, hold: hold, n: n, done: done}
	j.Owner, j.Slots = j, int32(n)
	j.tenant = m.s.Tenant(now, c.name)
	if m.s.AvailableN(j.tenant, n) {
		m.s.GrantN(now, j.tenant, n)
		m.begin(j, now)
		return j
	}
	m.s.Enqueue(m.now, j.tenant, &j.Waiter)
	if n > 1 {
		m.dispatch(m.now) // it may be its turn
	}
	return j
}

func (m *simulation) begin(j *job, stamp time.Duration) {
	if m.s.InUse() > m.s.Capacity() {
		require.LessOrEqual(m.t, m.s.InUse(), m.s.Capacity(), "invariant 1: granted beyond the capacity in force")
	}
	j.since = stamp
	m.settle(j.client)
	j.client.held += j.n
	j.client.waits = append(j.client.waits, m.now-j.asked)
	m.after(j.hold, func() { m.release(j) })
}

func (m *simulation) release(j *job) {
	now := m.stamp()
	m.settle(j.client)
	j.client.held -= j.n
	m.s.ReleaseN(now, j.tenant, j.since, j.n)
	m.dispatch(now)
	if j.done != nil {
		j.done()
	}
}

func (m *simulation) dispatch(now time.Duration) {
	if m.s.Demand() == 0 {
		return
	}
	for w := m.s.Next(now); w != nil; w = m.s.Next(now) {
		m.begin(w.Owner.(*job), now)
	}
	if until := m.s.CollectsUntil(); until > m.now && until != m.wake {
		m.wake = until
		m.after(until-m.now, func() { m.dispatch(m.stamp()) })
	}
}

// cancel ends the wait of j, if it still waits, and reports whether it did.
func (m *simulation) cancel(j *job) bool {
	if j.Seq() == 0 {
		return false
	}
	m.s.Cancel(m.now, &j.Waiter)
	if j.n > 1 {
		m.dispatch(m.stamp())
	}
	return true
}

func (m *simulation) resize(capacity int) {
	m.s.Resize(m.stamp(), capacity)
	m.dispatch(m.stamp())
}

// workers keeps n requests of the client in flight: each asks again as soon as
// it has released. One more than slots keeps a tenant backlogged for good.
func (m *simulation) workers(c *client, n int) {
	for range n {
		m.work(c, math.MaxInt64)
	}
}

// work is one worker, until the given time.
func (m *simulation) work(c *client, until time.Duration) {
	if m.now >= until {
		return
	}
	m.acquire(c, c.hold(m.rng), func() { m.work(c, until) })
}

// backlogged adds a tenant that always waits, whatever it holds.
func (m *simulation) backlogged(name string, hold func(*rand.Rand) time.Duration) *client {
	c := m.client(name, hold)
	m.workers(c, m.s.Capacity()+1)
	return c
}

// arrivals calls fn at the times of a Poisson process of the given rate per
// second.
func (m *simulation) arrivals(rate float64, fn func()) {
	m.after(exponential(time.Duration(float64(time.Second)/rate))(m.rng), func() {
		fn()
		m.arrivals(rate, fn)
	})
}

// after calls fn when d has passed.
func (m *simulation) after(d time.Duration, fn func()) {
	m.seq++
	heap.Push(&m.events, &event{m.now + d, m.seq, fn})
}

// run lets d pass.
func (m *simulation) run(d time.Duration) {
	until := m.now + d
	for len(m.events) > 0 && m.events[0].at <= until {
		e := heap.Pop(&m.events).(*event)
		m.now = e.at
		e.fn()
	}
	m.now = until
	for _, c := range m.clients {
		m.settle(c)
	}
}

// measure starts the figures of all clients over.
func (m *simulation) measure() {
	m.since = m.now
	for _, c := range m.clients {
		c.mark, c.slotTime, c.squares, c.waits = m.now, 0, 0, nil
	}
}

func (m *simulation) settle(c *client) {
	d := (m.now - c.mark).Seconds()
	c.mark = m.now
	c.slotTime += float64(c.held) * d
	c.squares += float64(c.held*c.held) * d
}

// share is the part of all slot-time that went to the given clients.
func (m *simulation) share(of ...*client) float64 {
	return total(of) / total(m.clients)
}

// utilization is the part of the capacity, as it is now, that was held.
func (m *simulation) utilization() float64 {
	return total(m.clients) / (float64(m.s.Capacity()) * (m.now - m.since).Seconds())
}

// deviation is the standard deviation over time of the slots that c held.
func (m *simulation) deviation(c *client) float64 {
	d := (m.now - m.since).Seconds()
	mean := c.slotTime / d
	return math.Sqrt(max(0, c.squares/d-mean*mean))
}

func total(clients []*client) (sum float64) {
	for _, c := range clients {
		sum += c.slotTime
	}
	return sum
}

// jain is Jain's fairness index of the slot-times: 1 when all are equal, 1/n
// when one has everything (Jain, Chiu, Hawe: DEC-TR-301, 1984).
func jain(clients []*client) float64 {
	var sum, squares float64
	for _, c := range clients {
		sum += c.slotTime
		squares += c.slotTime * c.slotTime
	}
	return sum * sum / (float64(len(clients)) * squares)
}

func quantile(waits []time.Duration, q float64) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(waits))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func mean(waits []time.Duration) time.Duration {
	var sum time.Duration
	for _, w := range waits {
		sum += w
	}
	return sum / time.Duration(max(1, len(waits)))
}

func constant(d time.Duration) func(*rand.Rand) time.Duration {
	return func(*rand.Rand) time.Duration { return d }
}

func exponential(mean time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * float64(mean)) }
}

// pareto has a tail so heavy that for shape <= 2 its variance is infinite.
func pareto(shape float64, mean time.Duration) func(*rand.Rand) time.Duration {
	least := float64(mean) * (shape - 1) / shape
	return func(r *rand.Rand) time.Duration {
		return time.Duration(least * math.Pow(1-r.Float64(), -1/shape))
	}
}

// An event happens at a time; those of the same time in the order in which
// they were set.
type event struct {
	at  time.Duration
	seq int
	fn  func()
}

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
