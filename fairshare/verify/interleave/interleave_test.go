package interleave

import (
	"flag"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

var moreFlag = flag.Int("more", 0, "so many interruptions more than usual, which takes many times longer each")

func skipIfShort(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program, and runs it for long")
	}
}

// Invariants 3, 4, 7 and 10, of the code as it is: nobody waits for ever and
// no slot is lost or doubled, whoever is interrupted where.
func TestNoOrderOfTurnsLosesAWakeUpOrASlot(t *testing.T) {
	skipIfShort(t)
	t.Parallel()
	out, err := exec.Command(build(t, source(t)), "-more", strconv.Itoa(*moreFlag)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("\n%s", out)
}
