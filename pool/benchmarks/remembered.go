package main

import "runtime"

// remembered is the memory of tenants that held a slot once and went. Their
// names count: a lender that keeps one keeps a copy.
type remembered struct {
	peer    peer
	tenants []string
}

func openRemembered(p peer, tenants int) (load, error) {
	return &remembered{p, tenantNames(tenants)}, nil
}

func (r *remembered) Round() (sample, error) {
	l, err := r.peer.openFull(1)
	if err != nil {
		return sample{}, err
	}
	defer l.Close()
	ctx, cancel := background.new()
	defer cancel()
	before := heapSize()
	for _, name := range r.tenants {
		if err := l.Cycle(ctx, name); err != nil {
			return sample{}, err
		}
	}
	after := heapSize()
	n := len(r.tenants)
	runtime.KeepAlive(l)
	return sample{each: (after - before) / float64(n), ops: n}, nil
}

func (r *remembered) Close() {}
