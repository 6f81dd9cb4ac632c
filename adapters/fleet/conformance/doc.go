// Package conformance checks that an engine does what fleet.State does. The
// tests of each engine run it:
//
//	conformance.Run(t, func(t *testing.T) conformance.Engine { ... })
package conformance

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
)

// An Engine is one whose time and identity a test can set.
type Engine interface {
	fleet.Engine

	// SyncAt is Sync at a time of day, by an engine of the given identity.
	SyncAt(ctx context.Context, wall time.Time, identity string, r fleet.Request) (fleet.Reply, error)
}

// Run checks engines: everything, or the parts that are named. create returns
// one for a fleet that it does not know.
func Run(t *testing.T, create func(t *testing.T) Engine, only ...string) {
	for _, part := range []struct {
		name  string
		check func(t *testing.T, create func(t *testing.T) Engine)
	}{
		{"Agrees", agrees}, {"Linearizable", linearizable}, {"Rules", rules}, {"Refuses", refuses}, {"OwnTime", ownTime},
	} {
		if len(only) == 0 || slices.Contains(only, part.name) {
			t.Run(part.name, func(t *testing.T) { part.check(t, create) })
		}
	}
}

// rounds is how many random histories are compared; FAIRPOOL_FLEET_ROUNDS says
// how many in a long run.
func rounds(n int) int {
	if v, err := strconv.Atoi(os.Getenv("FAIRPOOL_FLEET_ROUNDS")); err == nil && v > 0 {
		return v
	}
	if testing.Short() {
		return max(1, n/4)
	}
	return n
}
