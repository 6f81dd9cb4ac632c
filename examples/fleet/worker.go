package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/fleet/seats"
	"github.com/fairpool/fairpool/pool"
)

// A task is what a worker is told.
type task struct {
	Server string
	Engine place
	Fresh  bool
	Ask    map[string]int // callers of each tenant
}

// work is a worker process: a pool of seats, a member that sets its capacity,
// and callers. It ends when its standard input does, which is when the program
// that has started it ends.
func work(ctx context.Context, text string) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	engine, disconnect, err := t.Engine.connect(ctx)
	if err != nil {
		return err
	}
	defer disconnect()

	process := fmt.Sprint("worker-", os.Getpid())
	var member *fleet.Member
	conns, err := pool.New(pool.Config[*seats.Seat]{
		Constructor: func(ctx context.Context) (*seats.Seat, error) {
			if err := member.Err(); err != nil { // we were stopped, and the grant is over
				return nil, err
			}
			return seats.Dial(ctx, t.Server, process, member.Token())
		},
		Destructor: (*seats.Seat).Close, // returns when the server has confirmed it
		MaxSize:    terms.Capacity,
		Reclaim:    pool.Reclaim{Grace: time.Second / 2},
	})
	if err != nil {
		return err
	}
	defer conns.Close()
	member, err = fleet.Join(ctx, fleet.Pool(conns), fleet.Config{
		Engine:  engine,
		Terms:   terms,
		Process: process,
		Fencer: fleet.FencerFunc(func(ctx context.Context, process string, token int64) error {
			return seats.Fence(ctx, t.Server, process, token)
		}),
		AssumeFresh: t.Fresh, // true for the first: the fleet is new
	})
	if err != nil {
		return err
	}
	for tenant, n := range t.Ask {
		for range n {
			go ask(ctx, conns, tenant)
		}
	}
	report(ctx, member)
	leaving, done := context.WithTimeout(context.Background(), 2*time.Second)
	defer done()
	return member.Leave(leaving)
}

// ask is one caller. It knows nothing of a fleet.
func ask(ctx context.Context, conns *pool.Pool[*seats.Seat], tenant string) {
	for ctx.Err() == nil {
		_ = conns.Do(ctx, tenant, func(ctx context.Context, s *seats.Seat) error {
			if s.Use(tenant) != nil {
				return pool.ErrBadResource
			}
			select {
			case <-ctx.Done():
			case <-time.After(100*time.Millisecond + rand.N(200*time.Millisecond)):
			}
			if s.Idle() != nil {
				return pool.ErrBadResource
			}
			return nil
		})
	}
}

// report tells the program what the worker has been granted.
func report(ctx context.Context, m *fleet.Member) {
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			fmt.Println(m.Stats().Grant)
		}
	}
}
