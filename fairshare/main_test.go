package fairshare_test

import (
	"testing"

	"go.uber.org/goleak"
)

// The tests in bubbles cannot leak a goroutine: a bubble fails if one is left
// blocked. This catches what the tests in real time leave behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
