package redisfleet

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/redis/go-redis/v9"
)

// The script is these files, one after the other.
var (
	//go:embed sync.lua
	syncPart string
	//go:embed plan.lua
	planPart string
	//go:embed grow.lua
	growPart string
)

// An Engine keeps the state of one fleet in Redis or Valkey. All its methods
// may be called from any goroutine.
type Engine struct {
	client redis.UniversalClient
	script *redis.Script
	keys   []string
}

var _ fleet.Engine = (*Engine)(nil)

// New returns the engine of the fleet of that name. The caller keeps the
// client, and closes it after the members have left. The five keys of the fleet
// begin with "fleet:{name}:"; in a cluster they lie on one node.
func New(client redis.UniversalClient, name string) (*Engine, error) {
	if client == nil {
		return nil, errors.New("redisfleet: client is nil")
	}
	if name == "" || strings.ContainsAny(name, "{}") {
		return nil, fmt.Errorf("redisfleet: name is %q, must not be empty or contain braces", name)
	}
	e := &Engine{client: client, script: redis.NewScript(syncPart + "\n" + planPart + "\n" + growPart)}
	for _, part := range []string{"state", "processes", "claims", "quarantine", "limited"} {
		e.keys = append(e.keys, "fleet:{"+name+"}:"+part)
	}
	return e, nil
}

// Sync is one step of the State, by the script. If the server does not know the
// script any more, it is sent again.
func (e *Engine) Sync(ctx context.Context, r fleet.Request) (fleet.Reply, error) {
	return e.SyncAt(ctx, time.Time{}, "", r)
}

// SyncAt is Sync at a given time of day, if that is not zero, and by a server
// of a given identity: for tests.
func (e *Engine) SyncAt(ctx context.Context, wall time.Time, identity string, r fleet.Request) (fleet.Reply, error) {
	if err := r.Check(); err != nil {
		return fleet.Reply{}, err
	}
	values, err := e.script.Run(ctx, e.client, e.keys, arguments(wall, identity, r)...).StringSlice()
	if err != nil {
		return fleet.Reply{}, fmt.Errorf("redisfleet: %w", err)
	}
	return parse(values, len(r.Claims))
}

func arguments(wall time.Time, identity string, r fleet.Request) []any {
	var now int64
	if !wall.IsZero() {
		now = wall.UnixMicro()
	}
	t := r.Terms
	args := make([]any, 0, 20+3*len(r.Claims)+len(r.Fenced))
	args = append(args, now, identity, r.Process, r.Token, r.Seq, r.Hold, r.Most, r.Fresh, r.Leave,
		t.Version, t.Capacity, t.TTL.Microseconds(), t.Quarantine.Microseconds(), t.Refresh.Microseconds(), t.Fence,
		r.Rest.Slots, r.Rest.Weight, len(r.Claims))
	for _, c := range r.Claims {
		args = append(args, c.Tenant, c.Slots, c.Weight)
	}
	args = append(args, len(r.Fenced))
	for _, o := range r.Fenced {
		args = append(args, strconv.FormatInt(o.Token, 10)+":"+o.Process)
	}
	return args
}
