package fleet_test

import (
	"testing"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/fleet/conformance"
)

func TestMemoryConforms(t *testing.T) {
	conformance.Run(t, func(*testing.T) conformance.Engine { return new(fleet.Memory) })
}
