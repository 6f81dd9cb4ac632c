package main

import (
	"context"
	"math/rand"
	"time"

	"k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing"
	"k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing/queueset"
	"k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing/testing/eventclock"
	"k8s.io/apiserver/pkg/util/flowcontrol/metrics"
	seats "k8s.io/apiserver/pkg/util/flowcontrol/request"
)

// queues is the fair queuing of Kubernetes' API Priority and Fairness, the
// code that runs in every API server, under its own fake clock. It is put at
// its best: a queue for each tenant, rather than 64 that tenants are hashed to,
// and no bound on their length.
//
// It needs no goroutines to be driven. It says under its lock, in the midst of
// the call that did it, that a request has left its queue; and Finish, which
// waits for the turn of a request, runs it and gives back its seat, is called
// once its time is over: the wait and the run are empty then.
type queues struct {
	hall  hall
	start time.Time
	clock *eventclock.Fake
	cfg   fairqueuing.QueuingConfig
	set   fairqueuing.QueueSet
}

type seat struct {
	request fairqueuing.Request
	cancel  context.CancelFunc
}

func startQueueSet(in setting, h hall) rule {
	q := &queues{hall: h, start: time.Unix(0, 0)}
	q.clock, _ = eventclock.NewFake(q.start, 0, rand.New(rand.NewSource(1)))
	q.cfg = fairqueuing.QueuingConfig{
		Name:             "fairpool",
		DesiredNumQueues: len(in.weights),
		QueueLengthLimit: 1 << 30,
		HandSize:         1,
	}
	c, err := queueset.NewQueueSetFactory(q.clock).BeginConstruction(q.cfg,
		metrics.RatioedGaugePair{RequestsWaiting: unread{}, RequestsExecuting: unread{}}, unread{}, unread{})
	if err != nil {
		panic(err) // the configuration above is in order
	}
	q.set = c.Complete(dispatching(in.capacity))
	return q
}

func dispatching(capacity int) fairqueuing.DispatchingConfig {
	return fairqueuing.DispatchingConfig{ConcurrencyLimit: capacity, ConcurrencyDenominator: capacity}
}

func (q *queues) ask(now time.Duration, r *request) {
	q.clock.SetTime(q.start.Add(now))
	ctx, cancel := context.WithCancel(context.Background())
	s := &seat{cancel: cancel}
	r.ticket = s
	left := func(inQueue bool) {
		if !inQueue && ctx.Err() == nil {
			q.hall.grant(r)
		}
	}
	// With hands of one, the hash modulo the number of queues is the queue.
	s.request, _ = q.set.StartRequest(ctx, &seats.WorkEstimate{InitialSeats: 1}, uint64(r.tenant), "", "", nil, nil, left)
}

func (q *queues) giveBack(now time.Duration, r *request) {
	q.clock.SetTime(q.start.Add(now))
	s := r.ticket.(*seat)
	s.request.Finish(func() {})
	s.cancel()
}

func (q *queues) giveUp(now time.Duration, r *request) {
	q.clock.SetTime(q.start.Add(now))
	s := r.ticket.(*seat)
	s.cancel()
	s.request.Finish(func() { panic("a request that gave up was run") })
}

func (q *queues) resize(now time.Duration, capacity int) {
	q.clock.SetTime(q.start.Add(now))
	c, err := q.set.BeginConfigChange(q.cfg)
	if err != nil {
		panic(err)
	}
	c.Complete(dispatching(capacity))
}

// unread is a gauge that nobody reads.
type unread struct{}

func (unread) Set(float64)            {}
func (unread) Add(float64)            {}
func (unread) Inc()                   {}
func (unread) Dec()                   {}
func (unread) SetToCurrentTime()      {}
func (unread) SetDenominator(float64) {}
