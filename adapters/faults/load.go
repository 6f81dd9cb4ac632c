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
	first, last time.Time // error since the fault
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
	if err == nil || l.fault.IsZero() {
		return
	}
	l.errors++
	l.last = time.Now()
	if l.first.IsZero() {
		l.first = l.last
	}
}

func (l *load) faultBegins(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = now
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
	since := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Sub(l.fault).Round(10 * time.Millisecond).String()
	}
	lost, made := connections-c.capacity(ctx), fmt.Sprint(c.made())
	if made == "-1" {
		made = "?"
	}
	foreign := fmt.Sprint(l.foreign)
	if l.missing > 0 {
		foreign += fmt.Sprintf(", %d answers incomplete", l.missing)
	}
	return result(fmt.Sprintf("| %s | %d | %d | %s | %s | %d | %s | %s |",
		c.name, l.queries, l.errors, since(l.first), since(l.last), lost, made, foreign))
}
