package fleet

import (
	"iter"
	"math"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A Limiter is what a Member drives: Pool and Semaphore make one. Its methods
// must not block, and may be called from any goroutine.
type Limiter interface {
	Resize(capacity int) error
	SetShare(tenant string, share fairshare.Share) error
	Tenants() iter.Seq2[string, fairshare.TenantStats]

	// Usage tells what is in use. Nothing more than the capacity comes to be
	// in use after Resize; what was in use before may remain.
	Usage() Usage

	// Revoke takes back what is in use, because the grant for it is lost. It
	// does not wait for that.
	Revoke(cause error)
}

// Usage is what a Limiter has in use.
type Usage struct {
	Live    int // slots taken: leased, idle, being built or destroyed
	Waiting int // blocked Acquires
	Most    int // slots that it could use at all
}

// Pool has a member drive a pool. Its slots are all the resources that exist,
// idle ones included: a place at the server is free once the destructor has
// returned, which should therefore wait for the server to confirm. Hijacked
// resources are not counted.
//
// When the grant is lost, idle resources are destroyed at once, and leases are
// revoked: their holders have Reclaim.Grace to return them, which should be
// shorter than Terms.Quarantine, as should BuildTimeout.
func Pool[T any](p *pool.Pool[T]) Limiter { return limitedPool[T]{p} }

type limitedPool[T any] struct{ *pool.Pool[T] }

func (l limitedPool[T]) Usage() Usage {
	s := l.Stats()
	return Usage{
		Live:    s.Warm + s.Leased + s.Resetting + s.Checking + s.Building + s.Destroying,
		Waiting: s.Waiting,
		Most:    s.MaxSize,
	}
}

func (l limitedPool[T]) Revoke(cause error) {
	l.Pool.Revoke(cause, func(pool.Holder) bool { return true })
}

// Semaphore has a member drive a semaphore. Its slots are the permits that are
// out. A permit cannot be taken back: when the grant is lost, no more are
// handed out, and those who work under one have to be told by Member.Context or
// Config.OnExpired. A permit is to be released when what it stands for is over,
// not before: while one is out for which the engine knows no grant any more, the
// process does not join again.
func Semaphore(s *fairshare.Semaphore) Limiter { return limitedSemaphore{s} }

type limitedSemaphore struct{ *fairshare.Semaphore }

func (l limitedSemaphore) Usage() Usage {
	s := l.Stats()
	return Usage{Live: s.InUse, Waiting: s.Waiting, Most: math.MaxInt32}
}

func (limitedSemaphore) Revoke(error) {}
