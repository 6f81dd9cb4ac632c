package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A harbour is an engine with everything that may go wrong between it and its
// members, and in it.
type harbour struct {
	mu        sync.Mutex
	rand      *rand.Rand
	state     State
	past      []State // one for each of the last seconds
	identity  string
	offset    time.Duration // of the time of day
	noise     int           // in a hundred requests
	stalled   time.Time     // nothing is answered before
	cut       map[string]bool
	oneWay    bool // requests pass the cut, replies do not
	delivered int
}

// copy is a deep copy.
func (s *State) copy() State {
	c := *s
	c.processes, c.quarantine = make(map[string]*process), make(map[Order]*quarantined)
	for name, p := range s.processes {
		q := *p
		c.processes[name] = &q
	}
	for o, q := range s.quarantine {
		r := *q
		c.quarantine[o] = &r
	}
	c.plan.limited = maps.Clone(s.plan.limited)
	return c
}

var errCut = errors.New("connection refused")

func (h *harbour) Sync(ctx context.Context, r Request) (Reply, error) {
	h.mu.Lock()
	cut, oneWay, stalled := h.cut[r.Process], h.oneWay, h.stalled
	late := h.rand.IntN(100) < h.noise
	delay := time.Duration(h.rand.IntN(3000)) * time.Millisecond
	lost, twice := h.rand.IntN(100) < h.noise, h.rand.IntN(100) < h.noise
	h.mu.Unlock()
	if cut && !oneWay {
		return Reply{}, errCut
	}
	if !late {
		delay = time.Millisecond
	}
	delay = max(delay, time.Until(stalled))
	if twice {
		go h.deliver(delay+time.Second, r)
	}
	answer := make(chan Reply, 1)
	go func() { answer <- h.deliver(delay, r) }()
	heard := answer
	if lost || cut {
		heard = nil
	}
	select {
	case reply := <-heard:
		return reply, nil
	case <-ctx.Done():
		return Reply{}, ctx.Err()
	}
}

func (h *harbour) deliver(after time.Duration, r Request) Reply {
	time.Sleep(after)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delivered++
	return h.state.Sync(time.Now().Add(h.offset).Truncate(time.Microsecond), h.identity, r)
}

// remember keeps what a replica might know that is some seconds behind.
func (h *harbour) remember() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.past = append(h.past, h.state.copy())
	if len(h.past) > 4 {
		h.past = h.past[1:]
	}
}

// A quay is the server, which counts what is open.
type quay struct {
	mu         sync.Mutex
	open, peak int
}

func (q *quay) change(by int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open += by
	q.peak = max(q.peak, q.open)
}

func (q *quay) now() (open, peak int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open, q.peak
}

type ship struct {
	pool   *pool.Pool[int]
	member *Member
	cancel func()
	group  sync.WaitGroup
}

func (h *harbour) launch(t *testing.T, q *quay, r *rand.Rand, terms Terms) *ship {
	s := &ship{}
	var err error
	s.pool, err = pool.New(pool.Config[int]{
		Constructor: func(ctx context.Context) (int, error) {
			q.change(1)
			time.Sleep(20 * time.Millisecond)
			return 1, nil
		},
		Destructor: func(int) {
			time.Sleep(30 * time.Millisecond)
			q.change(-1)
		},
		MaxSize: 30,
		Reclaim: pool.Reclaim{Grace: time.Second},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	cfg := Config{Engine: h, Terms: terms}
	for s.member == nil {
		if s.member, err = Join(ctx, Pool(s.pool), cfg); err != nil {
			require.ErrorIs(t, err, ErrUnreachable)
			time.Sleep(time.Second)
		}
	}
	for i := range 12 {
		seed := r.Uint64()
		s.group.Add(1)
		go func() {
			defer s.group.Done()
			r := rand.New(rand.NewPCG(seed, 0))
			for ctx.Err() == nil {
				_ = s.pool.Do(ctx, fmt.Sprint("tenant ", i%3), func(lease context.Context, _ int) error {
					if r.IntN(10) == 0 { // some do not heed a revocation
						lease = ctx
					}
					mean := time.Second
					if r.IntN(20) == 0 {
						mean = 20 * time.Second
					}
					select {
					case <-lease.Done():
					case <-time.After(time.Duration(r.ExpFloat64() * float64(mean))):
					}
					return nil
				})
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(r.ExpFloat64() * float64(500*time.Millisecond))):
				}
			}
		}()
	}
	return s
}

// sink ends a process without a word to the engine, as kill -9 does.
func (s *ship) sink() {
	s.member.mu.Lock()
	s.member.lost = &LostError{Reason: ErrLeft}
	if s.member.timer != nil {
		s.member.timer.Stop()
	}
	s.member.mu.Unlock()
	s.member.stop()
	s.cancel()
	s.pool.Close()
	s.group.Wait()
	s.member.running.Wait()
}

// TestNeverMoreThanTheCapacityWhateverGoesWrong runs members on pools for
// minutes of virtual time, over requests that are lost, late, doubled and
// overtake each other, and an engine that forgets, jumps in time, stalls and
// goes away. What is open at the server never exceeds the capacity, and all
// slots come back in the end.
func TestNeverMoreThanTheCapacityWhateverGoesWrong(t *testing.T) {
	runs := 12
	if n, err := strconv.Atoi(os.Getenv("FAIRPOOL_FLEET_ROUNDS")); err == nil {
		runs = n
	} else if testing.Short() {
		runs = 3
	}
	first := rand.Uint64()
	if s := os.Getenv("FAIRPOOL_FLEET_SEED"); s != "" {
		first, _ = strconv.ParseUint(s, 10, 64)
	}
	for run := range runs {
		seed := first + uint64(run)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { sail(t, seed) })
		})
	}
}

func sail(t *testing.T, seed uint64) {
	const capacity = 20
	r := rand.New(rand.NewPCG(seed, 0))
	h := &harbour{rand: rand.New(rand.NewPCG(seed, 1)), identity: "0", cut: make(map[string]bool)}
	terms := Terms{Version: 1, Capacity: capacity}
	var q quay
	var ships []*ship
	for range 5 {
		ships = append(ships, h.launch(t, &q, r, terms))
	}
	defer func() {
		if t.Failed() {
			for _, s := range ships {
				s.sink()
			}
			time.Sleep(time.Minute)
		}
	}()
	busy := 0
	var events []string
	for second := range 240 {
		time.Sleep(time.Second)
		h.remember()
		open, peak := q.now()
		if open > 0 {
			busy++
		}
		require.LessOrEqual(t, peak, capacity, "after %d s: %v", second, events)
		if second%4 != 0 {
			continue
		}
		victim, event := r.IntN(len(ships)), r.IntN(14)
		events = append(events, fmt.Sprint(second, ": ", event))
		switch event {
		case 0:
			ships[victim].sink()
			ships[victim] = h.launch(t, &q, r, terms)
		case 1:
			leave(ships[victim])
			ships[victim] = h.launch(t, &q, r, terms)
		case 2:
			h.do(func() { h.state = State{} }) // FLUSHALL, or a disk that is gone
		case 3:
			h.do(func() { h.identity += "'" }) // a restart
		case 4:
			h.do(func() { // a failover to a replica that was behind
				h.state = h.past[0].copy()
				h.identity += "'"
			})
		case 5:
			h.do(func() { h.stalled = time.Now().Add(3 * time.Second) })
		case 6:
			h.do(func() { h.stalled = time.Now().Add(25 * time.Second) })
			time.Sleep(25 * time.Second)
		case 7:
			h.do(func() { h.offset += time.Duration(r.IntN(3)-1) * time.Hour })
		case 8:
			h.do(func() { h.noise = []int{0, 5, 30}[r.IntN(3)] })
		case 9, 10:
			h.do(func() {
				h.cut[ships[victim].member.config.Process] = true
				h.oneWay = r.IntN(2) == 0
			})
			time.Sleep(time.Duration(r.IntN(25)) * time.Second)
			h.do(func() { clear(h.cut) })
		}
	}
	require.Greater(t, busy, 100, "the fleet has worked")

	h.do(func() { h.noise = 0 })
	time.Sleep(40 * time.Second) // TTL and Quarantine, and as long to learn
	full := 0
	for range 100 {
		time.Sleep(100 * time.Millisecond)
		open, _ := q.now()
		full = max(full, open)
	}
	require.GreaterOrEqual(t, full, capacity-1, "no slot is lost")
	for _, s := range ships {
		leave(s)
	}
	open, peak := q.now()
	require.Zero(t, open)
	require.LessOrEqual(t, peak, capacity)
	require.Empty(t, h.state.processes)
	time.Sleep(10 * time.Second) // of the requests that are still on their way
}

func leave(s *ship) {
	s.cancel()
	s.group.Wait()
	_ = s.member.Leave(context.Background())
	s.pool.Close()
}

func (h *harbour) do(what func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	what()
}
