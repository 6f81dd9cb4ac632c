package soak

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// A thing is the resource of the pools.
type thing struct {
	id    uint64
	state atomic.Int32
}

// The states of a thing. It is ended once its destructor is called.
const (
	idle int32 = iota
	used
	ended
)

// A factory makes things and ends them, and keeps its own count of them, which
// the pool knows nothing of.
type factory struct {
	faults  *faults
	holders atomic.Int64 // of things that are not ended

	mu                    sync.Mutex
	builds, ends, gone    uint64 // calls of the constructor and destructor; things given away
	building, live, dying int
	most                  int // at once, of the three together
	wrong                 []string
}

func (f *factory) construct(ctx context.Context) (*thing, error) {
	f.mu.Lock()
	f.builds++
	th := &thing{id: f.builds}
	f.building++
	f.most = max(f.most, f.building+f.live+f.dying)
	f.mu.Unlock()

	built := 0
	defer func() { // the fault may be a panic or a Goexit
		f.mu.Lock()
		defer f.mu.Unlock()
		f.building--
		f.live += built
	}()
	if err := f.faults.strike(ctx, inConstructor); err != nil {
		return nil, err
	}
	built = 1
	return th, nil
}

func (f *factory) destruct(th *thing) {
	f.mu.Lock()
	f.ends++
	f.live--
	f.dying++
	switch th.state.Swap(ended) {
	case used:
		f.holders.Add(-1)
	case ended:
		f.wrong = append(f.wrong, fmt.Sprintf("thing %d was destroyed twice", th.id))
	}
	f.mu.Unlock()

	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.dying--
	}()
	_ = f.faults.strike(context.Background(), inDestructor)
}

// writeOff takes n things, which somebody is about to hijack, out of the count,
// or back into it. It comes before the hijack: the pool may build another
// before that has returned.
func (f *factory) writeOff(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live -= n
	f.gone += uint64(n)
}

// count returns what exists, and what went wrong so far.
func (f *factory) count() (building, live, dying, most int, wrong []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.building, f.live, f.dying, f.most, f.wrong
}
