package main

import (
	"context"
	"fmt"

	"github.com/fairpool/fairpool/pool"
)

// plain is the side that the options are compared with.
const plain = "plain"

// A manner is a way to use the pool.
type manner struct {
	name string
	wrap func(fairpoolLender) lender
}

var (
	acquiring = manner{"acquire", func(l fairpoolLender) lender { return l }}
	doing     = manner{"do", func(l fairpoolLender) lender { return doLender{l} }}
	joining   = manner{"joined", func(l fairpoolLender) lender { return newJoinedLender(l) }}
)

// doLender has its cycle done by Do.
type doLender struct{ fairpoolLender }

func doNothing(context.Context, *int) error { return nil }

func (l doLender) Cycle(ctx context.Context, tenant string) error {
	return l.pool.Do(ctx, tenant, doNothing)
}

// joinedLender is used by one tenant that has joined the pool.
type joinedLender struct {
	fairpoolLender
	tenant *pool.Tenant[*int]
}

func newJoinedLender(l fairpoolLender) joinedLender {
	return joinedLender{l, l.pool.Join("tenant-0")}
}

func (l joinedLender) Cycle(ctx context.Context, _ string) error {
	lease, err := l.tenant.Acquire(ctx)
	if err != nil {
		return err
	}
	lease.Release()
	return nil
}

// nestedLender is used by a caller that holds a lease of it.
type nestedLender struct {
	lender
	ctx    context.Context
	cancel context.CancelFunc
	lease  pool.Lease[*int]
}

func newNestedLender(l fairpoolLender, used lender) (lender, error) {
	lease, err := l.pool.Acquire(context.Background(), "tenant-0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := lease.Context(context.Background())
	return nestedLender{used, ctx, cancel, lease}, nil
}

func (l nestedLender) Cycle(_ context.Context, tenant string) error {
	return l.lender.Cycle(l.ctx, tenant)
}

func (l nestedLender) Close() {
	l.cancel()
	l.lease.Release()
	l.lender.Close()
}

// open opens a pool with the option, to be used in the given manner.
func (o option) open(slots int, m manner) (lender, error) {
	if o.nested {
		slots++ // for the lease that is held all the time
	}
	l, err := openFairpoolWith(slots, o.set)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.name, err)
	}
	if o.nested {
		return newNestedLender(l, m.wrap(l))
	}
	return m.wrap(l), nil
}

func (o option) side(name string, m manner, cycles int) side {
	p := peer{name: name, open: func(slots int) (lender, error) { return o.open(slots, m) }}
	return p.side(func(p peer) (load, error) { return openAlone(p, cancellable, slots, cycles) })
}

// optionTrials are each option beside the plain pool, in both manners, and
// before them the manners by themselves.
func (s scale) optionTrials() (all []trial) {
	add := func(kind string, o option, m, beside manner) {
		cycles := s.options
		if o.slow {
			cycles /= 10
		}
		none := option{set: func(*pool.Config[*int]) {}}
		if o.set == nil {
			o.set = none.set
		}
		all = append(all, trial{
			name:  "options/" + kind + "/" + o.name,
			title: o.name,
			unit:  "ns",
			sides: []side{none.side(plain, beside, cycles), o.side(o.name, m, cycles)},
			ours:  []string{o.name},
		})
	}
	add("manner", option{name: "Do"}, doing, acquiring)
	add("manner", option{name: "Tenant.Acquire, of a tenant that has joined"}, joining, acquiring)
	for _, o := range configOptions() {
		add(acquiring.name, o, acquiring, acquiring)
		add(doing.name, o, doing, doing)
	}
	return all
}
