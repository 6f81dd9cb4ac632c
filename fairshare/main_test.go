package fairshare_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// The tests in bubbles cannot leak a goroutine: a bubble fails if one is left
// blocked. This catches what the tests in real time leave behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// requireGoroutines fails unless there are no more than most goroutines. The
// runtime counts dead ones too while a garbage collection begins, so it gets a
// few chances.
func requireGoroutines(t *testing.T, most int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= most {
			return
		}
		runtime.GC()
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), most)
}
