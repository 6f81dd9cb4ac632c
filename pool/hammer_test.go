package pool_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

var seedFlag = flag.Uint64("seed", 0, "of the randomized tests; 0 draws one")

func newSeed(t *testing.T) uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	return seed
}

// A hammer beats on a pool with everything that callers, resources and
// operators may do, and checks what must hold meanwhile.
type hammer struct {
	t       *testing.T
	p       *pool.Pool[*thing]
	f       *factory
	seed    uint64
	size    int
	unit    time.Duration // what takes time takes about so long
	virtual bool
	calm    atomic.Bool // constructors and destructors behave
	over    chan struct{}

	leases  atomic.Int64 // counted after the grant and before the return
	granted atomic.Int64
	capped  atomic.Pointer[resized]
}

// A resized says what capacities were in force at an instant.
type resized struct {
	at            time.Time
	before, after int
}

func newHammer(t *testing.T, unit time.Duration, virtual bool) *hammer {
	h := &hammer{
		t: t, f: &factory{}, seed: newSeed(t), size: 8,
		unit: unit, virtual: virtual, over: make(chan struct{}),
	}
	h.capped.Store(&resized{time.Now(), h.size, h.size})
	h.f.build, h.f.end = h.construct, h.destroy
	h.p = newPool(t, h.f, pool.Config[*thing]{
		MaxSize:      h.size,
		BuildTimeout: 100 * unit,
		Sharing: fairshare.Config{
			Default: fairshare.Share{MaxWaiting: 20},
			Tenants: map[string]fairshare.Share{
				"t0": {Weight: 3}, "t1": {Max: 1}, "t2": {Min: 2}, "t3": {Max: 3, Weight: 0.5},
			},
			Headroom: 1,
		},
	})
	return h
}

// random returns a source of its own for the caller.
func (h *hammer) random(who int) *rand.Rand { return rand.New(rand.NewPCG(h.seed, uint64(who))) }

func (h *hammer) sleep(r *rand.Rand, most time.Duration) {
	time.Sleep(time.Duration(r.Int64N(int64(most))))
}

func (h *hammer) construct(ctx context.Context, n int) error {
	if h.calm.Load() {
		return nil
	}
	r := h.random(1_000_000 + n)
	h.sleep(r, 3*h.unit)
	faults := 40
	if !h.virtual {
		faults = 400 // the backoff takes real time
	}
	switch r.IntN(faults) {
	case 0, 1, 2:
		return errors.New("refused")
	case 3:
		panic("the constructor broke")
	case 4:
		runtime.Goexit()
	case 5:
		<-ctx.Done()
		return ctx.Err()
	case 6:
		time.Sleep(30 * h.unit) // whatever ctx says
	}
	return nil
}

func (h *hammer) destroy(th *thing) {
	if h.calm.Load() {
		return
	}
	r := h.random(2_000_000 + th.id)
	h.sleep(r, 3*h.unit)
	switch r.IntN(20) {
	case 0:
		panic("the destructor broke")
	case 1:
		runtime.Goexit()
	case 2:
		time.Sleep(30 * h.unit)
	}
}

// caller asks for things, as one tenant after the other, and returns them in
// every way there is.
func (h *hammer) caller(r *rand.Rand) {
	var stale []pool.Lease[*thing]
	for !h.isOver() {
		tenant := fmt.Sprint("t", r.IntN(12))
		switch r.IntN(10) {
		case 0:
			if l, ok := h.p.TryAcquire(tenant); ok {
				h.use(r, l, tenant)
				stale = append(stale, l)
			}
			h.sleep(r, h.unit)
		case 1:
			h.do(r, tenant)
		case 2:
			member := h.p.Join(tenant)
			ctx, cancel := context.WithTimeout(background, h.unit)
			if l, err := member.Acquire(ctx); err == nil {
				h.use(r, l, tenant)
			}
			cancel()
			member.Leave()
		default:
			ctx, cancel := context.WithTimeout(background, time.Duration(r.Int64N(int64(20*h.unit))))
			l, err := h.p.Acquire(ctx, tenant)
			if err == nil {
				h.use(r, l, tenant)
				stale = append(stale, l)
			} else if ctx.Err() == nil {
				h.sleep(r, h.unit) // a full queue or a failed build
			}
			cancel()
		}
		if n := len(stale); n > 0 {
			old := stale[r.IntN(n)]
			old.Release()
			old.Destroy()
			if old.Tenant() != "" {
				h.t.Error("a lease lives on after its end")
			}
			if n > 20 {
				stale = nil
			}
		}
	}
}

// begin checks what holds at every grant: invariants 1 and 2.
func (h *hammer) begin(th *thing) {
	held := int(h.leases.Add(1))
	h.granted.Add(1)
	capacity := h.size
	if c := h.capped.Load(); h.virtual {
		// No time passes between the last grant and this count.
		if capacity = c.after; c.at.Equal(time.Now()) {
			capacity = max(c.before, c.after)
		}
	}
	if held > capacity {
		h.t.Errorf("%d leases at a capacity of %d", held, capacity)
	}
	if !th.inUse.CompareAndSwap(false, true) {
		h.t.Errorf("thing %d has two holders", th.id)
	}
	if th.ended.Load() {
		h.t.Errorf("thing %d is leased after its end", th.id)
	}
}

func (h *hammer) end(th *thing) {
	th.inUse.Store(false)
	h.leases.Add(-1)
}

func (h *hammer) use(r *rand.Rand, l pool.Lease[*thing], tenant string) {
	th := l.Value()
	h.begin(th)
	if l.Tenant() != tenant {
		h.t.Errorf("a lease for %q went to %q", l.Tenant(), tenant)
	}
	h.sleep(r, 2*h.unit)
	h.end(th)
	switch r.IntN(12) {
	case 0:
		l.Destroy()
	case 1:
		h.f.hijack(l)
	default:
		l.Release()
	}
}

func (h *hammer) do(r *rand.Rand, tenant string) {
	ctx, cancel := context.WithTimeout(background, 10*h.unit)
	defer cancel()
	defer func() { _ = recover() }()
	_ = h.p.Do(ctx, tenant, func(_ context.Context, th *thing) error {
		h.begin(th)
		defer h.end(th)
		h.sleep(r, 2*h.unit)
		switch r.IntN(10) {
		case 0:
			panic("the caller broke")
		case 1:
			return pool.ErrBadResource
		case 2:
			return errors.New("not found")
		}
		return nil
	})
}

// operator changes the pool under the callers, and looks at its figures.
func (h *hammer) operator(r *rand.Rand) {
	for !h.isOver() {
		h.sleep(r, 5*h.unit)
		time.Sleep(time.Nanosecond) // two changes never fall on the same instant
		switch r.IntN(8) {
		case 0:
			h.p.Reset()
		case 1, 2:
			share := fairshare.Share{Weight: 0.1 + r.Float64(), Max: r.IntN(4), MaxWaiting: r.IntN(30)}
			if err := h.p.SetShare(fmt.Sprint("t", r.IntN(12)), share); err != nil {
				h.t.Error(err)
			}
		case 3, 4:
			h.resize(r.IntN(h.size + 1))
		default:
			h.resize(h.size)
		}
		stats := h.p.Stats()
		if n := stats.Leased + stats.Resetting + stats.Checking + stats.Warm + stats.Building + stats.Destroying; n > h.size {
			h.t.Errorf("%d resources in a pool of %d", n, h.size)
		}
	}
}

func (h *hammer) resize(capacity int) {
	before := h.capped.Load().after
	h.capped.Store(&resized{time.Now(), before, capacity})
	if err := h.p.Resize(capacity); err != nil {
		h.t.Error(err)
	}
}

func (h *hammer) isOver() bool {
	select {
	case <-h.over:
		return true
	default:
		return false
	}
}

// enough is how many grants it takes for a run to say anything.
const enough = 100

// run hammers for a while; then all of the capacity has to be there.
func (h *hammer) run(callers int, d time.Duration) {
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() { h.caller(h.random(i)) })
	}
	all.Go(func() { h.operator(h.random(callers)) })
	time.Sleep(d)
	for !h.virtual && h.granted.Load() <= enough { // the machine may have much else to do
		time.Sleep(10 * time.Millisecond)
	}
	close(h.over)
	all.Wait()

	h.calm.Store(true)
	h.resize(h.size)
	var leases []pool.Lease[*thing]
	for i := range h.size {
		// A build that failed before may fail one more.
		for {
			l, err := h.p.Acquire(background, fmt.Sprint("new-", i))
			if err == nil {
				leases = append(leases, l)
				break
			}
		}
	}
	stats := h.p.Stats()
	require.Equal(h.t, h.size, stats.InUse)
	require.Zero(h.t, stats.Waiting)
	for _, l := range leases {
		l.Release()
	}
	stats = h.p.Stats()
	require.Equal(h.t, h.size, stats.Warm)
	require.EqualValues(h.t, h.size, stats.Built-stats.Destroyed-stats.Hijacked)
	h.t.Logf("%d grants, %d builds, %d ended, %d hijacked, %d waits in vain",
		h.granted.Load(), stats.Built, stats.Destroyed, stats.Hijacked, stats.Canceled)
	require.Greater(h.t, h.granted.Load(), int64(enough))
}

// Invariants 1, 2, 3 and 8 under everything at once, in virtual time.
func TestNothingIsLostOrSharedUnderEverythingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		newHammer(t, 10*time.Millisecond, true).run(60, 60*time.Second)
	})
}

// The same in real time, where goroutines really run side by side.
func TestNothingIsLostOrSharedInRealTime(t *testing.T) {
	newHammer(t, 100*time.Microsecond, false).run(32, time.Second)
}
