package fairshare

import (
	"context"
	"time"
)

// A Witness is told of each Acquire and Retry that does not get a slot at once,
// by the goroutine of the caller and without the lock. Its methods may take their
// time, panic or call runtime.Goexit: that costs the caller its slot, which goes
// to the next, and nobody else anything.
type Witness interface {
	// Waits tells that a wait begins, or would if it were not refused. The
	// request is in the queue already. The context that it returns, which is
	// not nil, is the one to wait with.
	Waits(ctx context.Context, tenant string) context.Context
	// Waited tells how it ended, with a grant or an error, and how long it
	// took. ctx is what Waits has returned.
	Waited(ctx context.Context, tenant string, took time.Duration, g Grant, err error)
}

// Witness has w be told of waits. It is to be called before the first use.
func (l *Line) Witness(w Witness) { l.witness = w }

// waitBefore is wait before a witness.
func (l *Line) waitBefore(ctx context.Context, w *waiter, witness Witness) (g Grant, err error) {
	tenant, began := w.tenant, l.Now()
	waits, told := true, false
	all, _ := w.Owner.(*several)
	defer func() {
		if waits {
			over, cancel := context.WithCancel(context.Background())
			cancel()
			g, _ = l.wait(over, over.Done(), w, nil)
		}
		if !told {
			g.Release()
			for all != nil && len(all.more) > 0 {
				all.more[0].Release()
				all.more = all.more[1:]
			}
		}
	}()
	ctx = witness.Waits(ctx, tenant)
	done := ctx.Done()
	waits = false
	g, err = l.wait(ctx, done, w, nil)
	witness.Waited(ctx, tenant, l.Now()-began, g, err)
	told = true
	return g, err
}

// refuse is the end of an Acquire or a Retry that fails without a wait.
func (l *Line) refuse(ctx context.Context, e *AcquireError) (Grant, error) {
	e.owner = l.owner
	if l.witness != nil {
		ctx = l.witness.Waits(ctx, e.Tenant)
		l.witness.Waited(ctx, e.Tenant, 0, Grant{}, e)
	}
	return Grant{}, e
}
