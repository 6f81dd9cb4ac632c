package unit_test

import (
	"math"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/unit"
	"github.com/stretchr/testify/require"
)

func TestOnlyWhatIsNegativeOrLacksItsUnitIsWrong(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "must not be negative", math.MinInt64: "must not be negative",
		0: "", time.Millisecond: "", time.Hour: "", math.MaxInt64: "",
		30:                   "must be at least 1ms; for seconds write 30*time.Second",
		time.Millisecond - 1: "must be at least 1ms; for seconds write 999999*time.Second",
	} {
		require.Equal(t, want, unit.Fault(d), "%d", d)
	}
}
