package main

import "context"

// A peer is a pool or a semaphore whose cost is measured. To add one, write
// its lender and name it in cases.go.
type peer struct {
	name    string
	lends   string // what, and who is next
	tenants bool   // whether it tells them apart
	open    func(slots int) (lender, error)
}

// A lender lends slots. All methods but Close may be called from any goroutine.
type lender interface {
	// Cycle acquires a slot for the tenant and releases it: the operation
	// that is measured. It returns an error if there is no slot before ctx
	// ends. A lender that knows no tenants ignores the name.
	Cycle(ctx context.Context, tenant string) error
	// Hold acquires a slot and returns what releases it.
	Hold(ctx context.Context, tenant string) (release func(), err error)
	Close()
}

// holdAll takes all slots, which fills a pool that builds on demand, and
// returns what releases them. The tenant is one of its own, so that none of
// those measured starts with a debt.
func holdAll(l lender, slots int) (release func(), err error) {
	held := make([]func(), 0, slots)
	release = func() {
		for _, r := range held {
			r()
		}
	}
	for range slots {
		r, err := l.Hold(context.Background(), "preparation")
		if err != nil {
			release()
			return nil, err
		}
		held = append(held, r)
	}
	return release, nil
}

// openFull opens a lender and has it make all its slots.
func (p peer) openFull(slots int) (lender, error) {
	l, err := p.open(slots)
	if err != nil {
		return nil, err
	}
	release, err := holdAll(l, slots)
	if err != nil {
		l.Close()
		return nil, err
	}
	release()
	return l, nil
}
