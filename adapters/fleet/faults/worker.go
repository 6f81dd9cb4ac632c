//go:build unix

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/fleet/seats"
	"github.com/fairpool/fairpool/pool"
	"go.uber.org/goleak"
)

const variable = "FAIRPOOL_FLEET_WORKER"

// A job is what a worker is told by its environment.
type job struct {
	Server string // the counting one
	Engine string // an address
	Fleet  string
	Terms  fleet.Terms
	Fence  bool
	Fresh  bool
	Noise  bool           // requests are late, doubled and overtake each other
	Ask    map[string]int // callers of each tenant
	Hold   time.Duration  // mean
}

// Main runs a worker, if the process is one, and else the tests. connect
// returns the engine of a fleet behind an address.
func Main(m *testing.M, connect func(addr, name string) (fleet.Engine, error)) {
	var j job
	if text := os.Getenv(variable); text == "" {
		goleak.VerifyTestMain(m)
		return
	} else if err := json.Unmarshal([]byte(text), &j); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(2)
	}
	if err := j.run(connect); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run works until SIGTERM.
func (j job) run(connect func(addr, name string) (fleet.Engine, error)) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	engine, err := connect(j.Engine, j.Fleet)
	if err != nil {
		return err
	}
	if j.Noise {
		engine = noisy{engine}
	}
	w := &worker{job: j, process: processName(os.Getpid())}
	conns, err := pool.New(pool.Config[*seats.Seat]{
		Constructor:  w.dial,
		Destructor:   (*seats.Seat).Close,
		MaxSize:      100,
		BuildTimeout: j.Terms.Quarantine / 2,
		Reclaim:      pool.Reclaim{Grace: j.Terms.Quarantine / 4},
	})
	if err != nil {
		return err
	}
	defer conns.Close()
	cfg := fleet.Config{Engine: engine, Terms: j.Terms, Process: w.process, AssumeFresh: j.Fresh}
	if os.Getenv("FAIRPOOL_FLEET_VERBOSE") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if j.Fence {
		cfg.Fencer = fleet.FencerFunc(w.fence)
	}
	for w.member == nil {
		if w.member, err = fleet.Join(ctx, fleet.Pool(conns), cfg); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	for tenant, n := range j.Ask {
		for range n {
			go w.ask(ctx, conns, tenant)
		}
	}
	<-ctx.Done()
	leaving, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return w.member.Leave(leaving)
}

func processName(pid int) string { return fmt.Sprint("worker-", pid) }

type worker struct {
	job
	process string
	member  *fleet.Member
}

func (w *worker) ask(ctx context.Context, conns *pool.Pool[*seats.Seat], tenant string) {
	for ctx.Err() == nil {
		_ = conns.Do(ctx, tenant, func(ctx context.Context, s *seats.Seat) error {
			if err := s.Use(tenant); err != nil {
				return pool.ErrBadResource
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(float64(w.Hold) * (0.5 + rand.Float64()))):
			}
			if err := s.Idle(); err != nil {
				return pool.ErrBadResource
			}
			return nil
		})
	}
}

func (w *worker) dial(ctx context.Context) (*seats.Seat, error) {
	if err := w.member.Err(); err != nil { // it was stopped, and does not know yet
		return nil, err
	}
	return seats.Dial(ctx, w.Server, w.process, w.member.Token())
}

func (w *worker) fence(ctx context.Context, process string, token int64) error {
	return seats.Fence(ctx, w.Server, process, token)
}

// noisy is a network that delays, doubles and reorders requests.
type noisy struct{ fleet.Engine }

func (n noisy) Sync(ctx context.Context, r fleet.Request) (fleet.Reply, error) {
	if rand.IntN(4) == 0 { // once more, some time later
		go func() {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond)
			again, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, _ = n.Engine.Sync(again, r)
		}()
	}
	if rand.IntN(5) > 0 {
		return n.Engine.Sync(ctx, r)
	}
	go func() { // too late for the one who waits
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond)
		late, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, _ = n.Engine.Sync(late, r)
	}()
	<-ctx.Done()
	return fleet.Reply{}, ctx.Err()
}
