package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// A Member is one process of a fleet: it keeps a grant alive, and has its
// Limiter hand out no more than that. All its methods may be called from any
// goroutine.
type Member struct {
	config  Config
	limiter Limiter
	elapsed elapsed
	wake    chan struct{} // a sync is wanted before its time
	stop    func()        // ends the goroutines
	running sync.WaitGroup

	unanswered atomic.Int32 // calls of the engine under way

	shares shares // of the goroutine that syncs

	mu       sync.Mutex
	token    int64 // 0: none
	seq      int64
	limit    int // slots that may be kept; what is attested is never more
	target   int // slots that should be kept
	deadline time.Duration
	timer    *time.Timer // of the deadline
	leaving  bool
	lost     *LostError // nil: the grant is valid
	grant    context.Context
	end      context.CancelCauseFunc // of grant
	asked    int                     // slots in use and waited for at the last sync
	fenced   []Order                 // to be attested
	stats    Stats
}

// Join makes a process a member of the fleet and starts to drive the limiter,
// which hands out nothing until the member has a grant. It waits for the engine
// to answer, until ctx ends, and returns an error if it does not, if cfg is
// wrong, or if its Terms contradict those in force. From then on, engine
// failures show in Stats and Err.
func Join(ctx context.Context, limiter Limiter, cfg Config) (*Member, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	if err := limiter.Resize(0); err != nil {
		return nil, err
	}
	m := &Member{config: cfg, limiter: limiter, elapsed: newElapsed(), wake: make(chan struct{}, 1)}
	m.stats.Process = cfg.Process
	m.loseLocked(ErrJoining, nil)
	if err := m.join(ctx); err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.Background())
	m.stop = stop
	m.running.Add(2)
	go m.run(life)
	go m.watch(life)
	return m, nil
}

// join syncs until there is a token.
func (m *Member) join(ctx context.Context) error {
	for {
		err := m.sync(ctx)
		m.mu.Lock()
		token := m.token
		m.mu.Unlock()
		if token != 0 {
			return nil
		}
		if err != nil {
			return err
		}
		select { // something is still in use
		case <-ctx.Done():
			return fmt.Errorf("fleet: join: %w with %d slots in use, of which the fleet does not know", ctx.Err(), m.limiter.Usage().Live)
		case <-time.After(m.config.Timeout / 10):
		}
	}
}

// minPause is the least time between two syncs.
const minPause = 10 * time.Millisecond

// run syncs until ctx ends.
func (m *Member) run(ctx context.Context) {
	defer m.running.Done()
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		case <-next.C:
		}
		pause := m.config.Terms.Refresh
		if err := m.sync(ctx); err != nil {
			pause /= 2
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(minPause):
		}
		next.Reset(pause*4/5 + rand.N(pause*2/5) - minPause)
	}
}

// glance is the time between two looks at the limiter.
const glance = 20 * time.Millisecond

// watch looks for what cannot wait for the next sync: demand that meets no free
// slot, a slot that can be given back, and a deadline that has passed while the
// machine was suspended.
func (m *Member) watch(ctx context.Context) {
	defer m.running.Done()
	ticker := time.NewTicker(min(glance, m.config.Terms.Refresh/4))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		m.expire()
		usage := m.limiter.Usage()
		m.mu.Lock()
		wanted := m.missesLocked(usage) || usage.Live < m.limit && m.target < m.limit
		m.mu.Unlock()
		if wanted {
			m.hurry()
		}
	}
}

// missesLocked reports whether the engine might have a slot for somebody who
// waits, and does not know of it. Where everything is scarce, what a process is
// due has changed little since the last sync, unless it had asked for nothing.
func (m *Member) missesLocked(u Usage) bool {
	return u.Waiting > 0 && u.Live+u.Waiting > m.asked && (!m.stats.Scarce || m.asked == 0)
}

func (m *Member) hurry() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// sync makes one request and does what the reply says.
func (m *Member) sync(ctx context.Context) error {
	r, own, ok := m.prepare()
	if !ok {
		return nil
	}
	sent := m.elapsed.now()
	timeout, cancel := context.WithTimeout(ctx, m.config.Timeout)
	reply, err := m.ask(timeout, r)
	cancel()
	return m.conclude(ctx, r, own, sent, reply, err)
}

// maxUnanswered is how many calls of the engine may be under way that have not
// ended with their context. Each belongs to another sync.
const maxUnanswered = 16

// ask calls the engine, and waits for its answer no longer than until ctx ends,
// whatever the engine does. A call that is left behind is like a reply that was
// lost: the next request has a greater Seq.
func (m *Member) ask(ctx context.Context, r Request) (Reply, error) {
	if m.unanswered.Load() >= maxUnanswered {
		return Reply{}, fmt.Errorf("%d calls have not returned", maxUnanswered)
	}
	type answer struct {
		reply Reply
		err   error
	}
	answers := make(chan answer, 1)
	m.unanswered.Add(1)
	go func() {
		defer m.unanswered.Add(-1)
		var a answer
		a.err = protect("Engine", func() (err error) {
			a.reply, err = m.config.Engine.Sync(ctx, r)
			return err
		})
		answers <- a
	}()
	select {
	case a := <-answers:
		return a.reply, a.err
	case <-ctx.Done():
		select {
		case a := <-answers: // both at once
			return a.reply, a.err
		default:
			return Reply{}, fmt.Errorf("no answer: %w", ctx.Err())
		}
	}
}

// prepare freezes the limit, which may only fall: to the target, or what is in
// use beyond that. There is no request while something is in use without a
// grant.
func (m *Member) prepare() (Request, map[string]fairshare.Share, bool) {
	claims, rest, own := m.shares.claims(m.limiter.Tenants(), m.limiter.Usage().Most)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resizeLocked()
	usage := m.limiter.Usage()
	if m.token == 0 && usage.Live > 0 {
		return Request{}, nil, false
	}
	m.limit = max(m.capacityLocked(), usage.Live)
	m.asked = usage.Live + usage.Waiting
	m.seq++
	r := Request{
		Process: m.config.Process, Token: m.token, Seq: m.seq, Hold: m.limit, Most: usage.Most,
		Terms: m.config.Terms, Fresh: m.config.AssumeFresh && m.stats.Token == 0,
		Fenced: append([]Order(nil), m.fenced[:min(len(m.fenced), maxFenced)]...),
	}
	if !m.leaving {
		r.Claims, r.Rest = claims, rest
	}
	return r, own, true
}

// capacityLocked is what the limiter may hand out.
func (m *Member) capacityLocked() int {
	if m.leaving {
		return 0
	}
	return min(m.limit, m.target)
}

func (m *Member) resizeLocked() {
	capacity := m.capacityLocked()
	if capacity == m.stats.Capacity {
		return
	}
	if err := m.limiter.Resize(capacity); err != nil {
		m.failLocked(err)
		return
	}
	m.stats.Capacity = capacity
}

// conclude does what a reply says. It returns an error if there is none, or if
// it is a refusal.
func (m *Member) conclude(ctx context.Context, r Request, own map[string]fairshare.Share, sent time.Duration, reply Reply, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.elapsed.now()
	m.stats.Syncs++
	m.stats.Took = now - sent
	if err != nil {
		err = unreachable(err)
		m.stats.Failures++
		m.failLocked(err)
		return err
	}
	m.stats.Terms = reply.Terms
	switch reply.Status {
	case OK:
		m.renewLocked(ctx, r, own, sent+m.config.Terms.TTL-m.config.Margin, reply)
		return nil
	case Mismatch:
		err = &TermsError{m.config.Terms.conflict(reply.Terms), m.config.Terms, reply.Terms}
	case Fenced, Expired:
		reason := ErrExpired
		if reply.Status == Fenced {
			reason = ErrFenced
		}
		m.token = 0
		m.loseLocked(reason, nil)
		m.hurry()
		return nil
	case Stale:
		if r.Token == 0 {
			err = fmt.Errorf("%w: %.40q", ErrInUse, r.Process)
		}
	default:
		err = fmt.Errorf("fleet: engine answered with %v", reply.Status)
	}
	if err != nil {
		m.failLocked(err)
	}
	return err
}

func (m *Member) renewLocked(ctx context.Context, r Request, own map[string]fairshare.Share, deadline time.Duration, reply Reply) {
	m.stats.Err = nil
	m.stats.Used, m.stats.Processes, m.stats.Scarce = reply.Used, reply.Processes, reply.Scarce
	if m.stats.Learning == 0 && reply.Learning > 0 {
		m.log("the engine is learning what is granted, and grants nothing meanwhile", "for", reply.Learning)
	}
	m.stats.Learning = reply.Learning
	m.fenced = m.fenced[len(r.Fenced):]
	for _, o := range reply.Fence {
		if m.config.Fencer != nil {
			m.running.Add(1)
			go m.fence(ctx, o)
		}
	}
	m.token, m.stats.Token = reply.Token, reply.Token
	if r.Token == 0 {
		m.hurry() // a joining process has its token only
	}
	left := deadline - m.elapsed.now()
	if left <= 0 {
		return // the answer comes too late
	}
	m.limit, m.target, m.deadline = reply.Grant, min(reply.Target, r.Most), deadline
	if m.timer == nil {
		m.timer = time.AfterFunc(left, m.expire)
	} else {
		m.timer.Reset(left)
	}
	m.regainLocked()
	m.resizeLocked()
	if err := m.shares.apply(m.limiter, r, reply, own); err != nil {
		m.failLocked(err)
	}
}

func (m *Member) failLocked(err error) {
	m.stats.Err = err
	m.log("sync failed", "error", err)
}

// log tells the Logger, in a goroutine of its own: it may be slow, and the
// caller may hold the lock.
func (m *Member) log(message string, args ...any) {
	if l := m.config.Logger; l != nil {
		go func() {
			_ = protect("Logger", func() error {
				l.With("process", m.config.Process).Warn("fleet: "+message, args...)
				return nil
			})
		}()
	}
}
