package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// An operator changes the pool under the callers, and looks at its figures.
type operator struct {
	*run
	r *rand.Rand
}

func (o *operator) loop() {
	for !o.isOver() {
		time.Sleep(time.Duration(o.r.Int64N(int64(5 * o.unit))))
		switch o.r.IntN(40) {
		case 0:
			o.pool.Reset()
		case 1:
			o.pool.ResetGradually()
		case 2, 3:
			o.pool.Suspend()
			time.Sleep(o.unit)
			o.pool.Resume()
		case 4, 5:
			o.resize(o.r.IntN(maxSize + 1))
		case 6:
			o.resize(0)
			time.Sleep(o.unit)
			o.resize(maxSize)
		case 7:
			one := fmt.Sprint("t", o.r.IntN(tenants))
			o.pool.Revoke(nil, func(h pool.Holder) bool { return h.Tenant == one })
		case 8, 9, 10:
			share := fairshare.Share{Weight: 0.1 + o.r.Float64(), Max: o.r.IntN(4), MaxWaiting: o.r.IntN(30)}
			if err := o.pool.SetShare(fmt.Sprint("t", o.r.IntN(tenants)), share); err != nil {
				o.t.Error(err)
			}
		case 11:
			ctx, cancel := context.WithTimeout(context.Background(), 5*o.unit)
			_ = o.pool.Warm(ctx) // may fail for many reasons
			cancel()
		case 12:
			if o.detectLost {
				runtime.GC()
			}
		case 13:
			for range o.pool.Tenants() {
			}
			for range o.pool.Holders() {
			}
		default:
			o.resize(maxSize)
		}
		o.look()
	}
}

func (o *operator) resize(capacity int) {
	o.resizes.Add(1)
	if err := o.pool.Resize(capacity); err != nil {
		o.t.Error(err)
	}
}

// look checks invariant 1, by the pool's own figures and by the factory's.
func (o *operator) look() {
	s := o.pool.Stats()
	if n := s.Leased + s.Resetting + s.Checking + s.Warm + s.Building + s.Destroying; n > maxSize || s.Leased < 0 {
		o.t.Errorf("%d resources in a pool of %d: %+v", n, maxSize, s)
	}
	if _, _, _, most, wrong := o.factory.count(); most > maxSize || len(wrong) > 0 {
		o.t.Errorf("%d things at once in a pool of %d, %v", most, maxSize, wrong)
	}
}
