package chromedpfair

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// processesWith returns the processes that run and have the text in their
// arguments.
func processesWith(text string) (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		args, err := os.ReadFile(file) // empty for a zombie
		if err == nil && strings.Contains(string(args), text) {
			found = append(found, filepath.Base(filepath.Dir(file)))
		}
	}
	return found
}

// rendererOf returns the process that renders the page of a tab. The browser
// does not tell; so the page takes more memory than any other.
func rendererOf(t *testing.T, ctx context.Context, tab *Tab) (pid int) {
	_, err := script(ctx, "globalThis.big = new Uint8Array(200e6).fill(1); 'done'")
	require.NoError(t, err)
	var most int
	for _, candidate := range processesOf(tab.page.browser.group) {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", candidate))
		statm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", candidate))
		var size, resident int
		fmt.Sscan(string(statm), &size, &resident)
		if strings.Contains(string(args), "--type=renderer") && resident > most {
			most, pid = resident, candidate
		}
	}
	require.Greater(t, most*os.Getpagesize(), 200_000_000)
	return pid
}
