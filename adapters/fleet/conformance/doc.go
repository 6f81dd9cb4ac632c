// Package conformance checks that an engine does what fleet.State does. The
// tests of each engine run it:
//
//	conformance.Run(t, func(t *testing.T) conformance.Engine { ... })
package conformance

import (
	"context"
	"os"
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

// Run checks engines. create returns one for a fleet that it does not know.
func Run(t *testing.T, create func(t *testing.T) Engine) {
	t.Run("Agrees", func(t *testing.T) { agrees(t, create) })
	t.Run("Linearizable", func(t *testing.T) { linearizable(t, create) })
	t.Run("Rules", func(t *testing.T) { rules(t, create) })
	t.Run("Refuses", func(t *testing.T) { refuses(t, create) })
	t.Run("OwnTime", func(t *testing.T) { ownTime(t, create) })
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
