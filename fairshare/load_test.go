package fairshare_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// A load is a semaphore in a bubble and the clients that work with it: the
// scenarios of package sched, with real goroutines that sleep.
type load struct {
	t   *testing.T
	s   *fairshare.Semaphore
	rng *rand.Rand
	all sync.WaitGroup
	end time.Time

	mu      sync.Mutex
	clients []*client
	since   time.Time // of the measuring
	held    int
	allowed func() int // the most that may be held now; nil: not checked
}

// A client is a tenant with any number of workers.
type client struct {
	name     string
	slotTime time.Duration // since the measuring began
	waits    []time.Duration
	grants   int
}

func newLoad(t *testing.T, cfg fairshare.Config, d time.Duration) *load {
	now := time.Now()
	l := &load{t: t, s: newSemaphore(t, cfg), rng: newRandom(t), since: now, end: now.Add(d)}
	t.Cleanup(func() {
		l.stop()
		l.all.Wait()
	})
	return l
}

type holdTime func(*rand.Rand) time.Duration

func constant(d time.Duration) holdTime { return func(*rand.Rand) time.Duration { return d } }

func exponential(mean time.Duration) holdTime {
	return func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * float64(mean)) }
}

// client adds a tenant with n workers that acquire, hold and release until the
// end. More workers than slots keep it backlogged whatever it holds.
func (l *load) client(name string, n int, hold holdTime) *client {
	c := &client{name: name}
	l.mu.Lock()
	l.clients = append(l.clients, c)
	l.mu.Unlock()
	for range n {
		seed := l.rng.Uint64()
		l.all.Go(func() {
			r := rand.New(rand.NewPCG(seed, 0))
			for !l.over() {
				l.turn(c, hold(r))
			}
		})
	}
	return c
}

func (l *load) clientsOf(n int, name string, workers int, hold holdTime) (all []*client) {
	for i := range n {
		all = append(all, l.client(fmt.Sprint(name, i), workers, hold))
	}
	return all
}

func (l *load) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !time.Now().Before(l.end)
}

// stop ends the load now.
func (l *load) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Before(l.end) {
		l.end = now
	}
}

// turn is one acquire, hold and release.
func (l *load) turn(c *client, hold time.Duration) {
	asked := time.Now()
	p, err := l.s.Acquire(background, c.name)
	if err != nil {
		l.t.Error(err)
		return
	}
	l.hold(c, p, asked, hold)
}

func (l *load) hold(c *client, p fairshare.Permit, asked time.Time, hold time.Duration) {
	granted := time.Now()
	l.mu.Lock()
	c.grants++
	c.waits = append(c.waits, granted.Sub(asked))
	l.held++
	if l.allowed != nil && l.held > l.allowed() {
		l.t.Errorf("%d slots held, %d allowed", l.held, l.allowed())
	}
	l.mu.Unlock()

	time.Sleep(hold)
	l.mu.Lock()
	l.held--
	from, to := granted, time.Now()
	if from.Before(l.since) {
		from = l.since
	}
	if to.After(l.end) {
		to = l.end
	}
	if from.Before(to) {
		c.slotTime += to.Sub(from)
	}
	l.mu.Unlock()
	p.Release()
}

// measure starts the figures anew: what came before was the warm-up.
func (l *load) measure() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = time.Now()
	for _, c := range l.clients {
		c.slotTime, c.waits, c.grants = 0, nil, 0
	}
}

// share is the part of all the slot-time that the given clients had.
func (l *load) share(of ...*client) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all, theirs time.Duration
	for _, c := range l.clients {
		all += c.slotTime
	}
	for _, c := range of {
		theirs += c.slotTime
	}
	return float64(theirs) / float64(all)
}

// utilization is the part of the slot-time of n slots that was held.
func (l *load) utilization(n int) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all time.Duration
	for _, c := range l.clients {
		all += c.slotTime
	}
	return float64(all) / float64(n) / float64(l.end.Sub(l.since))
}

// jain is Jain's index of fairness: 1 when all clients had the same slot-time.
func (l *load) jain() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var sum, squares float64
	for _, c := range l.clients {
		x := c.slotTime.Seconds()
		sum += x
		squares += x * x
	}
	return sum * sum / (float64(len(l.clients)) * squares)
}
