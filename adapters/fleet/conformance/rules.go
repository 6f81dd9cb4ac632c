package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/stretchr/testify/require"
)

// A world is an engine, its clock, and processes that behave.
type world struct {
	t        *testing.T
	engine   Engine
	wall     time.Time
	identity string
	terms    fleet.Terms
}

func newWorld(t *testing.T, engine Engine, capacity int) *world {
	return &world{t, engine, time.UnixMicro(1_700_000_000_000_000), "one", fleet.Terms{
		Version: 1, Capacity: capacity, TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second,
	}}
}

// pass lets time pass, with the syncs of others that it takes for the clock to
// follow.
func (w *world) pass(d time.Duration, others ...*worker) {
	for ; d > 0; d -= time.Second {
		w.wall = w.wall.Add(min(d, time.Second))
		for _, o := range others {
			o.sync()
		}
	}
}

// A worker is a process of a world.
type worker struct {
	w       *world
	request fleet.Request
	reply   fleet.Reply
}

func (w *world) join(process string, fresh bool) *worker {
	p := &worker{w: w, request: fleet.Request{Process: process, Fresh: fresh, Most: 1000}}
	p.sync()
	require.Equal(w.t, fleet.OK, p.reply.Status)
	require.Zero(w.t, p.reply.Grant, "the token comes before the first slot")
	return p
}

// claim syncs with a claim of one tenant.
func (p *worker) claim(slots int) *worker {
	p.request.Claims = []fleet.Claim{{Tenant: "t", Slots: slots, Weight: 1_000_000}}
	return p.sync()
}

func (p *worker) sync() *worker {
	p.request.Seq++
	p.request.Terms = p.w.terms
	p.reply = p.send(p.request)
	if p.reply.Status == fleet.OK {
		p.request.Token, p.request.Hold = p.reply.Token, p.reply.Grant
	}
	return p
}

func (p *worker) send(r fleet.Request) fleet.Reply {
	reply, err := p.w.engine.SyncAt(context.Background(), p.w.wall, p.w.identity, clone(r))
	require.NoError(p.w.t, err)
	return reply
}

func rules(t *testing.T, create func(t *testing.T) Engine) {
	for _, test := range []struct {
		name string
		rule func(t *testing.T, w *world)
	}{
		{"WhatOneHasAnotherCannotGet", func(t *testing.T, w *world) {
			a, b := w.join("a", true), w.join("b", true)
			require.Equal(t, 10, a.claim(20).reply.Grant)
			require.Zero(t, b.claim(20).reply.Grant)
			w.pass(time.Second)
			require.Equal(t, 5, a.sync().reply.Target)
			require.Zero(t, b.sync().reply.Grant, "a shrink exists once it is attested")
			a.request.Hold = 5
			a.sync()
			require.Equal(t, 5, b.sync().reply.Grant)
		}},
		{"TheSlotsOfADeadProcessComeBackAfterTTLAndQuarantine", func(t *testing.T, w *world) {
			a, b := w.join("a", true), w.join("b", true)
			a.claim(10)
			b.claim(10)
			w.pass(14*time.Second, b)
			require.Zero(t, b.reply.Grant)
			w.pass(time.Second, b)
			require.Equal(t, 10, b.reply.Grant)
			require.Equal(t, fleet.Expired, a.sync().reply.Status)
		}},
		{"WhoComesBackFromQuarantineHasItsGrantAgain", func(t *testing.T, w *world) {
			a, b := w.join("a", true), w.join("b", true)
			a.claim(10)
			w.pass(12*time.Second, b)
			require.Equal(t, 10, a.sync().reply.Grant)
			require.Equal(t, 10, a.reply.Used)
		}},
		{"ALaterRequestMakesAnEarlierOneStale", func(t *testing.T, w *world) {
			a := w.join("a", true).claim(4)
			old := a.request
			a.request.Hold = 1
			require.Equal(t, fleet.OK, a.sync().reply.Status)
			require.Equal(t, fleet.Stale, a.send(old).Status)
		}},
		{"AnotherStartOfAProcessFencesTheFirst", func(t *testing.T, w *world) {
			a := w.join("a", true).claim(4)
			again := a.request
			again.Token, again.Hold, again.Seq = 0, 0, a.request.Seq+1
			reply := a.send(again)
			require.Equal(t, fleet.OK, reply.Status)
			require.Greater(t, reply.Token, a.request.Token)
			require.Equal(t, a.request.Hold, reply.Used, "what the first has still counts")
			require.Equal(t, fleet.Fenced, a.sync().reply.Status)
		}},
		{"AnEngineThatLostEverythingAcceptsClaimsAndGrantsNothing", func(t *testing.T, w *world) {
			survivor := &worker{w: w, request: fleet.Request{Process: "s", Token: 77, Hold: 8, Most: 100}}
			b := w.join("b", false)
			require.Equal(t, 15*time.Second, b.reply.Learning)
			require.Equal(t, 8, survivor.sync().reply.Grant)
			require.Zero(t, b.claim(10).reply.Grant)
			w.pass(14*time.Second, survivor, b)
			require.Zero(t, b.reply.Grant)
			w.pass(time.Second, survivor, b)
			require.Equal(t, 2, b.reply.Grant)
			require.Equal(t, int64(77), survivor.reply.Token)
		}},
		{"AnotherIdentityHasTheEngineLearn", func(t *testing.T, w *world) {
			a := w.join("a", true).claim(2)
			before := a.reply.Grant
			w.identity = "two"
			a.claim(10)
			require.Equal(t, 15*time.Second, a.reply.Learning)
			require.Equal(t, before, a.reply.Grant, "nothing grows")
		}},
		{"AHoldAboveTheGrantIsALostWrite", func(t *testing.T, w *world) {
			a := w.join("a", true).claim(2)
			a.request.Hold += 3
			a.sync()
			require.Equal(t, fleet.OK, a.reply.Status)
			require.NotZero(t, a.reply.Learning)
			require.Equal(t, a.request.Hold, a.reply.Used)
		}},
		{"ATokenFromTheFutureIsALostWrite", func(t *testing.T, w *world) {
			a := w.join("a", true)
			ahead := a.request
			ahead.Process, ahead.Token, ahead.Hold, ahead.Seq, ahead.Terms = "z", a.reply.Token+5, 3, 9, w.terms
			reply := a.send(ahead)
			require.Equal(t, fleet.OK, reply.Status)
			require.Equal(t, 3, reply.Grant)
			require.NotZero(t, reply.Learning)
		}},
		{"TheClockDoesNotJump", func(t *testing.T, w *world) {
			a, b := w.join("a", true), w.join("b", true)
			a.claim(10)
			for range 7 {
				w.wall = w.wall.Add(time.Hour)
				b.claim(10)
				w.wall = w.wall.Add(-time.Hour)
				b.claim(10)
			}
			require.Zero(t, b.reply.Grant)
			require.Equal(t, fleet.OK, a.sync().reply.Status, "7 steps of 1.25 s are less than the TTL")
		}},
		{"WhoLeavesWithNothingInUseGivesAllBack", func(t *testing.T, w *world) {
			a, b := w.join("a", true), w.join("b", true)
			a.claim(10)
			a.request.Hold, a.request.Leave = 0, true
			a.sync()
			require.Zero(t, a.reply.Used)
			require.Equal(t, 10, b.claim(10).reply.Grant)
		}},
		{"ANewVersionBringsItsCapacity", func(t *testing.T, w *world) {
			a := w.join("a", true).claim(20)
			require.Equal(t, 10, a.reply.Grant)
			old := w.terms
			w.terms.Version, w.terms.Capacity = 2, 4
			require.Equal(t, 4, a.sync().reply.Target)
			require.Equal(t, 10, a.reply.Grant)
			w.terms = old
			require.Equal(t, fleet.OK, a.sync().reply.Status, "an old version is overruled")
			require.Equal(t, 4, a.reply.Terms.Capacity)
		}},
		{"TermsThatContradictAreRefused", func(t *testing.T, w *world) {
			a := w.join("a", true).claim(2)
			w.terms.Capacity = 11
			require.Equal(t, fleet.Mismatch, a.sync().reply.Status)
			require.Equal(t, 10, a.reply.Terms.Capacity)
			w.terms.Capacity, w.terms.TTL, w.terms.Version = 10, 20*time.Second, 2
			require.Equal(t, fleet.Mismatch, a.sync().reply.Status)
		}},
		{"FencesBeforeQuarantineEnds", func(t *testing.T, w *world) {
			w.terms.Fence = true
			a, b := w.join("a", true), w.join("b", true)
			a.claim(10)
			w.pass(10*time.Second, b)
			require.Equal(t, []fleet.Order{{Process: "a", Token: a.reply.Token}}, b.reply.Fence)
			require.Empty(t, b.claim(10).reply.Fence, "one at a time")
			w.pass(5*time.Second, b)
			require.NotEmpty(t, b.reply.Fence, "and again, for it may have failed")
			w.pass(20*time.Second, b)
			require.Equal(t, 10, b.reply.Used, "a fence that fails keeps the quarantine")
			require.Equal(t, fleet.Fenced, a.sync().reply.Status)
			b.request.Fenced = []fleet.Order{{Process: "a", Token: a.request.Token}}
			b.sync()
			w.pass(time.Second, b)
			require.Equal(t, 10, b.reply.Grant)
		}},
	} {
		t.Run(test.name, func(t *testing.T) { test.rule(t, newWorld(t, create(t), 10)) })
	}
}
