//go:build unix

package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
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
	w := &worker{job: j, process: fmt.Sprint("worker-", os.Getpid())}
	conns, err := pool.New(pool.Config[*place]{
		Constructor:  w.dial,
		Destructor:   (*place).close,
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

type worker struct {
	job
	process string
	member  *fleet.Member
}

func (w *worker) ask(ctx context.Context, conns *pool.Pool[*place], tenant string) {
	for ctx.Err() == nil {
		_ = conns.Do(ctx, tenant, func(ctx context.Context, p *place) error {
			if err := p.say("use " + tenant); err != nil {
				return pool.ErrBadResource
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(float64(w.Hold) * (0.5 + rand.Float64()))):
			}
			if err := p.say("idle"); err != nil {
				return pool.ErrBadResource
			}
			return nil
		})
	}
}

// A place is one connection to the server.
type place struct {
	conn net.Conn
	in   *bufio.Reader
}

func (w *worker) dial(ctx context.Context) (*place, error) {
	if err := w.member.Err(); err != nil { // it was stopped, and does not know yet
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", w.Server)
	if err != nil {
		return nil, err
	}
	p := &place{conn, bufio.NewReader(conn)}
	if err := p.say(fmt.Sprint("open ", w.process, " ", w.member.Token())); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return p, nil
}

func (p *place) say(words string) error {
	_ = p.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintln(p.conn, words); err != nil {
		return err
	}
	_, err := p.in.ReadString('\n')
	return err
}

// close returns when the server has confirmed that the place is free.
func (p *place) close() {
	_ = p.say("bye")
	_ = p.conn.Close()
}

func (w *worker) fence(ctx context.Context, process string, token int64) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", w.Server)
	if err != nil {
		return err
	}
	defer conn.Close()
	p := &place{conn, bufio.NewReader(conn)}
	return p.say(fmt.Sprint("fence ", process, " ", token))
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
