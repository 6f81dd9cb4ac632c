package main

import "context"

// alone is one goroutine that acquires and releases, with nobody else about.
type alone struct {
	lender lender
	ctx    context.Context
	cancel context.CancelFunc
	cycles int
}

func openAlone(p peer, kind contextKind, slots, cycles int) (load, error) {
	l, err := p.openFull(slots)
	if err != nil {
		return nil, err
	}
	ctx, cancel := kind.new()
	return &alone{l, ctx, cancel, cycles}, nil
}

func (a *alone) Round() (s sample, err error) {
	s = timed(a.cycles, func() {
		for range a.cycles {
			if err = a.lender.Cycle(a.ctx, "tenant-0"); err != nil {
				return
			}
		}
	})
	return s, err
}

func (a *alone) Close() {
	a.cancel()
	a.lender.Close()
}
