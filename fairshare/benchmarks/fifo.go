package main

import (
	"container/list"
	"context"
	"reflect"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sync/semaphore"
)

// semaphores is golang.org/x/sync/semaphore. It blocks its callers, so each
// waiter is a goroutine. Two things make the outcome certain: no request
// follows another before that one stands in the semaphore's queue, and after a
// release the goroutine that it woke has to report before time goes on.
type semaphores struct {
	hall    hall
	s       *semaphore.Weighted
	mu      *sync.Mutex
	waiters *list.List
	woken   chan wakeUp
	ctx     context.Context
	end     context.CancelFunc
}

type wakeUp struct {
	r   *request
	err error
}

func startSemaphore(in setting, h hall) rule {
	w := semaphore.NewWeighted(int64(in.capacity))
	s := &semaphores{hall: h, s: w, woken: make(chan wakeUp)}
	// Nothing in its API tells when a goroutine has queued, so look at the
	// queue, under the semaphore's own lock.
	fields := reflect.ValueOf(w).Elem()
	s.mu = (*sync.Mutex)(unsafe.Pointer(fields.FieldByName("mu").UnsafeAddr()))
	s.waiters = (*list.List)(unsafe.Pointer(fields.FieldByName("waiters").UnsafeAddr()))
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

func (s *semaphores) queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiters.Len()
}

func (s *semaphores) ask(_ time.Duration, r *request) {
	if s.s.TryAcquire(1) { // as the first lines of Acquire
		s.hall.grant(r)
		return
	}
	before := s.queued()
	ctx, cancel := context.WithCancel(s.ctx)
	r.ticket = cancel
	go func() {
		err := s.s.Acquire(ctx, 1)
		s.woken <- wakeUp{r, err}
	}()
	for s.queued() == before {
		runtime.Gosched()
	}
}

func (s *semaphores) giveBack(_ time.Duration, r *request) {
	if cancel, ok := r.ticket.(context.CancelFunc); ok {
		cancel() // long granted: frees the context
	}
	wake := s.queued() > 0
	s.s.Release(1)
	if wake {
		s.hall.grant((<-s.woken).r)
	}
}

func (s *semaphores) giveUp(_ time.Duration, r *request) {
	r.ticket.(context.CancelFunc)()
	if w := <-s.woken; w.r != r || w.err == nil {
		panic("a waiter that was not canceled has woken")
	}
}

func (s *semaphores) close() {
	n := s.queued()
	s.end()
	for range n {
		<-s.woken
	}
}
