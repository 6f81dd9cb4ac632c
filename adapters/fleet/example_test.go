package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// Two pools, here of one process, share the capacity that the engine keeps.
func ExampleJoin() {
	engine := new(fleet.Memory) // or redisfleet.New, pgfleet.New
	ctx := context.Background()
	for _, process := range []string{"one", "two"} {
		tabs, err := pool.New(pool.Config[string]{
			Constructor: func(context.Context) (string, error) { return "a tab of " + process, nil },
			MaxSize:     20,
		})
		if err != nil {
			panic(err)
		}
		defer tabs.Close()
		member, err := fleet.Join(ctx, fleet.Pool(tabs), fleet.Config{
			Engine:      engine,
			Terms:       fleet.Terms{Version: 1, Capacity: 20},
			AssumeFresh: true, // nobody else can have a grant
		})
		if err != nil {
			panic(err)
		}
		defer member.Leave(ctx)
		_ = tabs.Do(ctx, "acme", func(_ context.Context, tab string) error {
			fmt.Println(tab)
			return nil
		})
	}
	// Output:
	// a tab of one
	// a tab of two
}

// Work under a permit is told when the grant is lost.
func ExampleMember_Context() {
	calls, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	if err != nil {
		panic(err)
	}
	member, err := fleet.Join(context.Background(), fleet.Semaphore(calls), fleet.Config{
		Engine: new(fleet.Memory), Terms: fleet.Terms{Version: 1, Capacity: 5},
	})
	if err != nil {
		panic(err)
	}
	defer member.Leave(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	ctx, done := member.Context(ctx)
	defer done()
	_, err = calls.Acquire(ctx, "acme")
	var acquire *fairshare.AcquireError
	fmt.Println(errors.As(err, &acquire))
	fmt.Println(errors.Is(member.Err(), fleet.ErrLearning), "not AssumeFresh: the engine looks for others first")
	// Output:
	// true
	// true not AssumeFresh: the engine looks for others first
}

// A State can be driven by hand: time is an argument.
func ExampleState() {
	var state fleet.State
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	terms := fleet.Terms{Version: 1, Capacity: 10, TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second}
	r := fleet.Request{Process: "p", Seq: 1, Most: 10, Terms: terms, Fresh: true}
	joined := state.Sync(now, "", r)
	r.Seq, r.Token, r.Claims = 2, joined.Token, []fleet.Claim{{Tenant: "acme", Slots: 30, Weight: 1_000_000}}
	reply := state.Sync(now.Add(time.Second), "", r)
	fmt.Println(reply.Status, reply.Grant, "of", terms.Capacity)
	// Output: ok 10 of 10
}
