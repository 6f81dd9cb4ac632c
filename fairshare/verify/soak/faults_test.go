package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"
)

var (
	errInjected = errors.New("injected fault")
	errFailover = errors.New("injected failover")
)

// A place is where a fault strikes.
type place int

const (
	inConstructor place = iota
	inDestructor
	inHook
	inTrace
	inShareFunc
	places
)

func (p place) String() string {
	return [...]string{"constructor", "destructor", "hook", "trace", "share function"}[p]
}

// faults are the mishaps of what a user writes.
type faults struct {
	seed  uint64
	unit  time.Duration // what takes time takes about so long
	over  atomic.Bool   // everybody behaves from now on
	calls atomic.Uint64

	struck [places]atomic.Uint64
}

// strike takes some time and may go wrong: with an error, a panic, a call of
// Goexit, or by taking too long, whatever ctx says.
func (f *faults) strike(ctx context.Context, at place) error {
	if f.over.Load() {
		return nil
	}
	r := rand.New(rand.NewPCG(f.seed, f.calls.Add(1)))
	switch at {
	case inConstructor, inDestructor:
		time.Sleep(rand.N(3 * f.unit))
	case inHook:
		time.Sleep(rand.N(f.unit / 2))
	}
	draw := r.IntN(1000)
	if draw < 8 {
		f.struck[at].Add(1)
	}
	switch draw {
	case 0, 1, 2:
		return errInjected
	case 3:
		panic(fmt.Sprintf("injected panic in a %v", at))
	case 4:
		if at == inTrace || at == inShareFunc {
			return nil // it would end the caller's goroutine, which is ours
		}
		runtime.Goexit()
	case 5:
		if at == inConstructor || at == inHook {
			<-ctx.Done()
			return ctx.Err()
		}
	case 6:
		if at != inTrace && at != inShareFunc {
			time.Sleep(100 * f.unit) // whatever ctx says
		}
	case 7:
		if at == inHook && r.IntN(10) == 0 {
			return errFailover
		}
	}
	return nil
}
