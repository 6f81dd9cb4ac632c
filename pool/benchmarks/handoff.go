package main

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A handoff is one slot that goes from hand to hand. Before it is released all
// others are blocked waiting for it, also whoever had it last, so that nobody
// who happens to come by gets it instead. The latency is that from just before
// the release until the next holder runs, with the slot in its hands.
type handoff struct {
	lender  lender
	members []member
	hops    int           // of a round
	busy    time.Duration // for which a releaser works on before it asks again
}

// hold is for how long the slot is held once the last holder is about to ask for
// it again: far longer than it needs to be blocked.
const hold = 15 * time.Microsecond

func openHandoff(p peer, goroutines, tenants, hops int, busy time.Duration) (load, error) {
	l, err := p.openFull(1)
	if err != nil {
		return nil, err
	}
	return &handoff{l, newMembers(goroutines, tenants, cancellable), hops, busy}, nil
}

// A relay is one round of a handoff. The holder of the slot alone writes to it.
type relay struct {
	*handoff
	start     time.Time
	latencies *hdrhistogram.Histogram
	released  time.Duration // since start; 0: not yet
	last      *runner
	over      chan struct{}
	done      bool
}

// A runner is a goroutine of a relay.
type runner struct {
	*member
	again chan struct{} // asked for by the next holder, which waits for it
	asks  atomic.Bool
}

func (h *handoff) Round() (sample, error) {
	open, err := h.lender.Hold(context.Background(), "preparation")
	if err != nil {
		return sample{}, err
	}
	r := &relay{
		handoff: h, start: time.Now(), over: make(chan struct{}),
		latencies: newHistogram(),
	}
	var group sync.WaitGroup
	for i := range h.members {
		m := &h.members[i]
		group.Go(func() { m.err = r.run(&runner{member: m, again: make(chan struct{}, 1)}) })
	}
	err = settle(len(h.members))
	watch := time.AfterFunc(tooLong, func() { cancelAll(h.members) })
	defer watch.Stop()
	s := timed(h.hops, func() {
		open()
		group.Wait()
	})
	s.latencies = r.latencies
	s.each = quantileOf(0.5)(s)
	return s, errors.Join(err, failures(h.members))
}

func (r *relay) run(own *runner) error {
	for {
		own.asks.Store(true)
		release, err := r.lender.Hold(own.ctx, own.tenant)
		if err != nil {
			return err
		}
		now := time.Since(r.start)
		if r.done {
			release()
			return nil
		}
		if r.released > 0 {
			if err := r.latencies.RecordValue(int64(now - r.released)); err != nil {
				return err
			}
		}
		r.recall(own.ctx)
		if int(r.latencies.TotalCount()) == r.hops {
			r.done = true
			close(r.over)
			release()
			return nil
		}
		spin(hold)
		r.last = own
		own.asks.Store(false)
		r.released = time.Since(r.start)
		release()
		spin(r.busy)
		select {
		case <-own.again:
		case <-r.over:
			return nil
		case <-own.ctx.Done(): // it took too long
			return own.ctx.Err()
		}
	}
}

// recall has the last holder ask for the slot again, unless ctx ends.
func (r *relay) recall(ctx context.Context) {
	if r.last == nil {
		return
	}
	r.last.again <- struct{}{}
	for !r.last.asks.Load() && ctx.Err() == nil {
		runtime.Gosched()
	}
}

// spin works for d.
func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

// quantileOf asks for a quantile of the latencies.
func quantileOf(q float64) value {
	return func(s sample) float64 { return float64(s.latencies.ValueAtQuantile(100 * q)) }
}

func (h *handoff) Close() {
	cancelAll(h.members)
	h.lender.Close()
}

// latencies are those of all rounds of a side.
func (r result) latencies(side string) *hdrhistogram.Histogram {
	all := newHistogram()
	for _, s := range r.samples[side] {
		all.Merge(s.latencies)
	}
	return all
}

// newHistogram keeps three digits of latencies up to a minute.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(time.Minute), 3)
}
