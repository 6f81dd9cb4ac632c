//go:build !linux

package chromedpfair

import (
	"context"
	"testing"
)

func processesWith(string) []string { return nil } // cannot be told

func rendererOf(t *testing.T, _ context.Context, _ *Tab) int {
	t.Skip("the process of a page cannot be told here")
	return 0
}
