package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The figures are those of the README and need an idle machine; this is whether
// everything runs and is drawn.
func TestTheTableHasAllLimitersAndThePictureIsDrawn(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	if raceEnabled {
		t.Skip("failsafe-go has a race of its own: usageWindow.TotalUsage of v0.9.8 reads without the lock")
	}
	var out bytes.Buffer
	svg := filepath.Join(t.TempDir(), "compare.svg")
	require.NoError(t, run(t.Context(), 2*time.Second, svg, &out))
	for _, l := range limiters {
		require.Equal(t, 3, strings.Count(out.String(), "| "+l.name+" "), "%s", &out)
	}
	picture, err := os.ReadFile(svg)
	require.NoError(t, err)
	require.Contains(t, string(picture), "<svg")
}

func TestStoppingEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, run(ctx, 10*time.Second, "", &bytes.Buffer{}), context.DeadlineExceeded)
}
