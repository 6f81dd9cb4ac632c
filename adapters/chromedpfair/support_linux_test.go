package chromedpfair

import (
	"os"
	"path/filepath"
	"strings"
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
