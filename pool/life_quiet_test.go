package pool_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// calmDown ends all that goes on.
func (l *life) calmDown() {
	l.note("calming down")
	l.calm.Store(true)
	l.suspended = false
	l.p.Resume()
	for range 600 {
		l.cancelAll()
		for x := l.pick(); x != nil; x = l.pick() {
			go l.finish(x, x.lease.Release)
			synctest.Wait()
		}
		l.rest()
		s := l.p.Stats()
		if l.underWay()+int(l.hooks.Load()) == 0 && s.InUse+s.Waiting+s.Building+s.Destroying+s.Resetting+s.Checking == 0 {
			return
		}
		time.Sleep(time.Second)
		l.rest()
	}
	l.complain("something never comes to an end")
}

// quiesce checks that all of the capacity is there once everybody behaves:
// invariant 3.
func (l *life) quiesce() {
	l.calmDown()
	l.resize(l.size)
	var all sync.WaitGroup
	var got atomic.Int32
	var leases []*leased
	for i := range l.size {
		all.Go(func() {
			tenant := fmt.Sprint("new-", i)
			for range 100 {
				lease, err := l.p.Acquire(background, tenant)
				if err == nil {
					x := l.granted(background, lease, tenant)
					l.mu.Lock()
					leases = append(leases, x)
					l.mu.Unlock()
					got.Add(1)
					return
				}
				time.Sleep(time.Second) // a build that failed before may fail one more
			}
		})
	}
	time.Sleep(12 * time.Second) // longer than any backoff
	l.rest()
	if l.t.Failed() {
		return
	}
	if int(got.Load()) != l.size {
		l.complain("%d of %d leases are left when everybody behaves", got.Load(), l.size)
		return
	}
	all.Wait()
	stats := l.p.Stats()
	require.Equal(l.t, l.size, stats.InUse)
	require.Equal(l.t, l.size, stats.Leased)
	require.Zero(l.t, stats.Waiting)
	for _, x := range leases {
		l.finish(x, x.lease.Release)
	}
	l.rest()
	time.Sleep(12 * time.Second) // longer than any backoff
	l.rest()
	stats = l.p.Stats()
	if stats.InUse != 0 {
		l.complain("%d slots in use when everything has returned", stats.InUse)
	}
	if stats.Stale != 0 {
		l.complain("%d resources of an earlier generation when everybody behaves", stats.Stale)
	}
	if n := int(stats.Built - stats.Destroyed - stats.Hijacked); n != stats.Warm+stats.Checking+stats.Destroying {
		l.complain("%d resources by the count of births and deaths", n)
	}
	l.mu.Lock()
	l.before, l.capacities = nil, append(l.capacities, l.size)
	l.mu.Unlock()
	l.calm.Store(false)
}

// closing shuts the pool down, while leases are still out. At times it is a hook
// that closes it.
func (l *life) closing() {
	if l.t.Failed() {
		l.calmDown() // so that the failure is all there is to see
		return
	}
	if l.r.IntN(2) == 0 {
		l.mayClose.Store(true)
		for range 200 {
			l.step()
		}
	}
	l.note("Close")
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		l.p.Close()
	}()
	l.rest()
	for range 20 {
		l.step()
	}
	l.calmDown()
	<-closed
}
