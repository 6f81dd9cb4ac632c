package adversary

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A report is the table of what was found.
type report struct {
	mu    sync.Mutex
	lines []string
}

func (r *report) add(f *family, size int, goal objective, bound float64, w found) string {
	who := "one tenant"
	if size > 1 {
		who = fmt.Sprintf("%d together", size)
	}
	var how []string
	for _, m := range w.members {
		how = append(how, m.describe(f.turned))
	}
	what := cmp.Or(f.gains, "slot-time over the share")
	if goal.name == "wait" {
		what = cmp.Or(f.waits, "longest wait of a rival over the bound")
	}
	line := fmt.Sprintf("| %s | %s | %s | %.3f | %.2f | %d | %s | %s |", f.name, who, what, w.value, bound, w.plays,
		f.places[w.place].what, strings.Join(how, "; "))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	return line
}

func (r *report) write() error {
	slices.Sort(r.lines)
	var b strings.Builder
	fmt.Fprintf(&b, "# What a search for strategies found\n\n"+
		"Written by `go test ./fairshare/verify/adversary -effort %v -timeout 0 -write`, seed %d. Each line is the best of so many strategies,\n"+
		"drawn at random and then improved step by step, played again for longer in virtual time.\n\n"+
		"| family | who | what | best found | bound | strategies | place | how |\n|---|---|---|---:|---:|---:|---|---|\n%s\n",
		*effortFlag, *seedFlag, strings.Join(r.lines, "\n"))
	return os.WriteFile(filepath.Join("..", "results", "adversary.md"), []byte(b.String()), 0o644)
}
