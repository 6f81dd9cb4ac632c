package linear

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/fairpool/fairpool/fairshare"
)

// A history is what callers asked of a semaphore, and when. Time is a number
// that grows with every call and every return.
type history struct {
	time    atomic.Int64
	mu      sync.Mutex
	asked   []porcupine.Operation
	limbo   int
	answers [drop + 1]int // by kind
}

// ask carries out a call and takes note of the question that answer says it was.
func (h *history) ask(client int, call func() kind, n int) kind {
	begin := h.time.Add(1)
	k := call()
	over := h.time.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers[k]++
	if k == grab {
		for _, k := range []kind{grab, drop} {
			h.note(client, question{k, h.limbo}, begin, over)
		}
		h.limbo++
		return k
	}
	h.note(client, question{k, n}, begin, over)
	return k
}

func (h *history) note(client int, q question, call, back int64) {
	h.asked = append(h.asked, porcupine.Operation{ClientId: client, Input: q, Call: call, Return: back})
}

const (
	callers  = 6
	each     = 8 // takings of a caller, the most that a history has place for
	operator = callers
)

// record has callers use the semaphore, and somebody change it, all at once. It
// panics if they do not come to an end.
func record(t *testing.T, s *fairshare.Semaphore, seed uint64, capacity int) *history {
	h := &history{}
	var all sync.WaitGroup
	for i := range callers {
		c := caller{t, h, s, i, rand.New(rand.NewPCG(seed, uint64(i)))}
		all.Go(func() {
			for range each {
				c.use()
			}
		})
	}
	all.Go(func() {
		o := caller{t, h, s, operator, rand.New(rand.NewPCG(seed, operator))}
		o.operate(capacity)
	})
	stuck := time.AfterFunc(patience, func() { panic("somebody waits for ever: a wake-up or a slot is lost") })
	defer stuck.Stop()
	all.Wait()
	return h
}

type caller struct {
	t  *testing.T
	h  *history
	s  *fairshare.Semaphore
	id int
	r  *rand.Rand
}

// use takes a slot, if it gets one, and gives it back.
func (c *caller) use() {
	tenant := []string{"a", "b", "c"}[c.r.IntN(3)]
	var p fairshare.Permit
	k := c.h.ask(c.id, func() (k kind) {
		p, k = c.take(tenant)
		return k
	}, 0)
	if k != take {
		return
	}
	c.idle()
	if c.r.IntN(4) == 0 {
		all := p
		defer all.Release() // a copy: nothing happens
	}
	c.h.ask(c.id, func() kind { p.Release(); return give }, 0)
}

func (c *caller) take(tenant string) (fairshare.Permit, kind) {
	ctx := context.Background()
	switch c.r.IntN(4) {
	case 0:
		p, ok := c.s.TryAcquire(tenant)
		if !ok {
			return p, refuse
		}
		return p, take
	case 1, 2:
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		spins := c.r.IntN(60)
		go func() {
			for range spins {
				runtime.Gosched()
			}
			cancel()
		}()
	}
	p, err := c.s.Acquire(ctx, tenant)
	switch {
	case err == nil:
		return p, take
	case errors.Is(err, fairshare.ErrClosed):
		return p, ended
	case errors.Is(err, context.Canceled):
		return p, grab
	}
	c.t.Errorf("an Acquire failed with %v", err)
	return p, grab
}

func (c *caller) idle() {
	for range c.r.IntN(4) {
		runtime.Gosched()
	}
}

// operate looks and resizes, and leaves the semaphore so that everybody is
// served in the end: with a slot, or by closing it.
func (c *caller) operate(capacity int) {
	for range each {
		c.look()
		n := c.r.IntN(capacity + 1)
		c.resize(n)
		c.idle()
	}
	if c.r.IntN(2) == 0 {
		c.h.ask(c.id, func() kind { c.s.Close(); return end }, 0)
	}
	c.resize(capacity)
	c.look()
}

func (c *caller) resize(n int) {
	c.h.ask(c.id, func() kind {
		if err := c.s.Resize(n); err != nil {
			c.t.Error(err)
		}
		return size
	}, n)
}

func (c *caller) look() {
	begin := c.h.time.Add(1)
	n := c.s.Stats().InUse
	over := c.h.time.Add(1)
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	c.h.answers[look]++
	c.h.note(c.id, question{look, n}, begin, over)
}
