package conformance

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/stretchr/testify/require"
)

// linearizable has processes sync all at once, and looks for an order in which
// the State would have answered the same.
func linearizable(t *testing.T, create func(t *testing.T) Engine) {
	for seed := range uint64(rounds(4)) {
		operations := concurrently(t, create(t), seed)
		result := porcupine.CheckOperationsTimeout(model, operations, 20*time.Second)
		require.Equal(t, porcupine.Ok, result, "seed %d", seed)
	}
	// The check is able to fail: with one more slot somewhere there is no order.
	operations := concurrently(t, create(t), 99)
	for i, o := range operations {
		if out := o.Output.(fleet.Reply); out.Used > 0 {
			out.Used++
			operations[i].Output = out
			break
		}
	}
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(model, operations, 20*time.Second))
}

type input struct {
	wall    time.Time
	request fleet.Request
}

// model is the state as the list of requests that have led to it.
var model = porcupine.Model{
	Init: func() any { return []input(nil) },
	Step: func(before, in, out any) (bool, any) {
		past := before.([]input)
		now := append(past[:len(past):len(past)], in.(input))
		return fmt.Sprint(plain(replay(now))) == fmt.Sprint(plain(out.(fleet.Reply))), now
	},
	Equal: func(a, b any) bool { return digest(a.([]input)) == digest(b.([]input)) },
}

func replay(inputs []input) (reply fleet.Reply) {
	var s fleet.State
	for _, in := range inputs {
		reply = s.Sync(in.wall, "", clone(in.request))
	}
	return reply
}

func digest(inputs []input) string {
	var b bytes.Buffer
	for _, in := range inputs {
		fmt.Fprint(&b, in.request.Process, in.request.Seq, " ")
	}
	return b.String()
}

// concurrently records five processes that join and take turns in growing and
// giving back. All is at one time of day, so that the order is the engine's.
func concurrently(t *testing.T, engine Engine, seed uint64) []porcupine.Operation {
	const clients, syncs = 5, 6
	wall := time.UnixMicro(1_700_000_000_000_000).UTC()
	terms := fleet.Terms{Version: 1, Capacity: 7, TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second}
	start := time.Now()
	var mu sync.Mutex
	var operations []porcupine.Operation
	var failure error
	var group sync.WaitGroup
	for client := range clients {
		group.Add(1)
		go func() {
			defer group.Done()
			r := fleet.Request{Process: fmt.Sprint("process ", client), Terms: terms, Fresh: true, Most: 100}
			for i := range syncs {
				r.Seq++
				r.Claims = []fleet.Claim{{Tenant: "a", Slots: 1 + (client+i+int(seed))%4, Weight: 1}}
				called := time.Since(start)
				reply, err := engine.SyncAt(context.Background(), wall, "", clone(r))
				returned := time.Since(start)
				mu.Lock()
				if err != nil {
					failure = err
				}
				operations = append(operations, porcupine.Operation{
					ClientId: client, Input: input{wall, clone(r)}, Output: reply,
					Call: int64(called), Return: int64(returned),
				})
				mu.Unlock()
				r.Token, r.Hold = reply.Token, reply.Grant/2
			}
		}()
	}
	group.Wait()
	require.NoError(t, failure)
	return operations
}
