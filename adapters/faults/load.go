package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	clients   = 10
	tenants   = 5
	rowsOfOne = 3
)

// A load is clients that read rows through a pool.
type load struct {
	pool    contender
	stop    context.CancelFunc
	clients sync.WaitGroup

	mu          sync.Mutex
	fault       time.Time
	queries     int
	errors      int
	first, last time.Time     // error since the fault
	longest     time.Duration // call that ended since the fault
	over        time.Time     // when the fault was
	back        time.Time     // when a call succeeded first after that
	foreign     int
	missing     int
}

// begin starts the clients of a pool.
func begin(ctx context.Context, c contender) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{pool: c, stop: cancel}
	for i := range clients {
		tenant := fmt.Sprintf("tenant-%d", i%tenants)
		l.clients.Go(func() {
			for ctx.Err() == nil {
				l.read(ctx, tenant)
				time.Sleep(4 * time.Millisecond)
			}
		})
	}
	return l
}

func (l *load) read(ctx context.Context, tenant string) {
	call, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	began := time.Now()
	rows, err := l.pool.rows(call, tenant)
	if ctx.Err() != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queries++
	for _, of := range rows {
		if of != tenant {
			l.foreign++
		}
	}
	if err == nil && len(rows) != rowsOfOne {
		l.missing++
	}
	if l.fault.IsZero() {
		return
	}
	now := time.Now()
	l.longest = max(l.longest, now.Sub(began))
	if err == nil {
		if l.back.IsZero() && !l.over.IsZero() {
			l.back = now
		}
		return
	}
	l.errors++
	l.last = now
	if l.first.IsZero() {
		l.first = l.last
	}
}

func (l *load) faultBegins(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = now
}

func (l *load) faultIsOver(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = now
}

// end has the clients end, and waits for them.
func (l *load) end() {
	l.stop()
	l.clients.Wait()
}

// A result is what came of a fault for a pool, a row of a table.
type result string

func (l *load) judge(ctx context.Context, c contender) result {
	l.mu.Lock()
	defer l.mu.Unlock()
	between := func(from, to time.Time) string {
		if to.IsZero() {
			return "-"
		}
		return to.Sub(from).Round(10 * time.Millisecond).String()
	}
	lost, made := connections-c.capacity(ctx), fmt.Sprint(c.made())
	if made == "-1" {
		made = "?"
	}
	foreign := fmt.Sprint(l.foreign)
	if l.missing > 0 {
		foreign += fmt.Sprintf(", %d answers incomplete", l.missing)
	}
	return result(fmt.Sprintf("| %s | %d | %d | %s | %s | %s | %v | %d | %s | %s |",
		c.name, l.queries, l.errors, between(l.fault, l.first), between(l.fault, l.last), between(l.over, l.back),
		l.longest.Round(10*time.Millisecond), lost, made, foreign))
}
