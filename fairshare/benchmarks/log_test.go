package main

import (
	"fmt"
	"slices"
	"time"
)

// A grantLog is how many slots a tenant held after each grant and each return.
type grantLog []holding

type holding struct {
	at           time.Duration
	tenant, held int
}

func logOf(l load, c contender) (log grantLog) {
	rec := newRecord(l, ideal{})
	rec.trace = func(at time.Duration, tenant, held int) { log = append(log, holding{at, tenant, held}) }
	run(l, c, rec)
	return log
}

// differs tells where two logs first differ in what is held after an instant,
// "" if nowhere. The order of what happens at the same instant does not count.
func (a grantLog) differs(b grantLog, tenants int) string {
	x, y := make([]int, tenants), make([]int, tenants)
	for len(a) > 0 && len(b) > 0 {
		at := min(a[0].at, b[0].at)
		a, b = a.until(at, x), b.until(at, y)
		if !slices.Equal(x, y) {
			return fmt.Sprintf("after %v: %v and %v", at, x, y)
		}
	}
	if len(a)+len(b) > 0 {
		return fmt.Sprintf("one ends before the other, by %d and %d", len(a), len(b))
	}
	return ""
}

func (a grantLog) until(at time.Duration, held []int) grantLog {
	for len(a) > 0 && a[0].at == at {
		held[a[0].tenant] = a[0].held
		a = a[1:]
	}
	return a
}
