package conformance

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/stretchr/testify/require"
)

// refuses sends what no engine may accept.
func refuses(t *testing.T, create func(t *testing.T) Engine) {
	engine := create(t)
	good := fleet.Request{Process: "p", Seq: 1, Most: 10, Terms: fleet.Terms{
		Version: 1, Capacity: 10, TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second,
	}}
	for field, spoil := range map[string]func(r *fleet.Request){
		"Process":     func(r *fleet.Request) { r.Process = "" },
		"Token":       func(r *fleet.Request) { r.Token = -1 },
		"Seq":         func(r *fleet.Request) { r.Seq = 0 },
		"Hold":        func(r *fleet.Request) { r.Token, r.Hold = 1, -1 },
		"Most":        func(r *fleet.Request) { r.Most = -1 },
		"Claims":      func(r *fleet.Request) { r.Claims = make([]fleet.Claim, fleet.MaxClaims+1) },
		"claim":       func(r *fleet.Request) { r.Claims = []fleet.Claim{{Tenant: "t", Weight: 1}} },
		"weight":      func(r *fleet.Request) { r.Rest.Slots = 1 },
		"Fenced":      func(r *fleet.Request) { r.Fenced = make([]fleet.Order, 100) },
		"Capacity":    func(r *fleet.Request) { r.Terms.Capacity = -1 },
		"Version":     func(r *fleet.Request) { r.Terms.Version = -1 },
		"TTL":         func(r *fleet.Request) { r.Terms.TTL = r.Terms.Refresh },
		"Quarantine":  func(r *fleet.Request) { r.Terms.Quarantine = 0 },
		"Refresh":     func(r *fleet.Request) { r.Terms.Refresh = -time.Second },
		"microsecond": func(r *fleet.Request) { r.Terms.TTL++ },
	} {
		r := good
		spoil(&r)
		_, err := engine.Sync(t.Context(), r)
		require.ErrorContains(t, err, "fleet: ", field)
		require.ErrorContains(t, err, field)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := engine.Sync(ended, good)
	require.ErrorIs(t, err, context.Canceled)
	reply, err := engine.Sync(t.Context(), good)
	require.NoError(t, err)
	require.Equal(t, 1, reply.Processes, "what was refused has left no trace")
}

// ownTime checks that an engine has a clock and an identity of its own.
func ownTime(t *testing.T, create func(t *testing.T) Engine) {
	engine := create(t)
	r := fleet.Request{Process: "p", Seq: 1, Most: 10, Terms: fleet.Terms{
		Version: 1, Capacity: 10, TTL: 10 * time.Second, Quarantine: 5 * time.Second, Refresh: time.Second,
	}}
	sync := func() fleet.Reply {
		reply, err := engine.Sync(t.Context(), r)
		require.NoError(t, err)
		r.Token, r.Hold = reply.Token, reply.Grant
		r.Seq++
		return reply
	}
	first := sync()
	require.Equal(t, 15*time.Second, first.Learning)
	require.WithinDuration(t, time.Now(), time.UnixMicro(first.Token), time.Hour, "tokens follow the engine's time of day")
	require.Eventually(t, func() bool { return sync().Learning < first.Learning-50*time.Millisecond },
		20*time.Second, 20*time.Millisecond, fmt.Sprint("the engine's clock runs, and its identity stays: ", first.Learning))
}
