package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A report is the figures of a soak, as Markdown.
type report struct {
	b strings.Builder
}

func newReport(seed uint64, length time.Duration) *report {
	r := &report{}
	race := "without"
	if raceEnabled {
		race = "with"
	}
	fmt.Fprintf(&r.b, "# A soak of %v\n\n", length)
	fmt.Fprintf(&r.b, "%s, %s %s/%s, %d processors, %s the race detector, seed %d: %d goroutines of %d tenants on %d resources, each configuration for a part of the time.\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), race, seed, goroutines, tenants, maxSize)
	r.b.WriteString("No resource had two holders or was used after its end, none was lost, no goroutine was left.\n\n")
	r.b.WriteString("| configuration | lasted | grants | refused | wait p50 | p99 | worst | built | failed builds | ended | given away | revoked | lost and found | resizes | faults: constructor | destructor | hook | trace | share function |\n")
	r.b.WriteString("|---|" + strings.Repeat("---:|", 18) + "\n")
	return r
}

// add adds the figures of one run and returns them as a line.
func (rep *report) add(name string, r *run, lasted time.Duration) string {
	s := r.stats
	wait := func(quantile float64) time.Duration {
		return time.Duration(r.waits.ValueAtQuantile(quantile)) * time.Microsecond
	}
	cells := []any{
		name, lasted.Round(100 * time.Millisecond), r.granted.Load(), r.failed.Load(),
		wait(50), wait(99), wait(100),
		s.Built, s.BuildFailures, s.Destroyed, s.Hijacked, s.Revocations, s.Lost, r.resizes.Load(),
	}
	for p := range places {
		cells = append(cells, r.factory.faults.struck[p].Load())
	}
	line := "|"
	for _, cell := range cells {
		line += fmt.Sprintf(" %v |", cell)
	}
	rep.b.WriteString(line + "\n")
	return line
}

// write writes the report to a file, relative to the root of the module.
func (rep *report) write(path string) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join("..", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(rep.b.String()), 0o644)
}
