package throwaway_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(startedBy) != "" {
		startAndWait()
		return
	}
	goleak.VerifyTestMain(m)
}
