package adversary

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A mistake is a change of the source that a search has to find, or the figures.
type mistake struct {
	what     string
	search   string // that finds it: family/size/objective; "": the figures do
	file     string
	from, to string
}

var mistakes = []mistake{
	{"a slot costs nothing while it is held", "holding times/1/gain", "sched/rule.go",
		"return t.charged + t.slope*float64(elapsed)", "return t.charged"},
	{"to leave and come back wipes a debt", "on and off/1/gain", "sched/rule.go",
		"return max(service, ", "return min(service, s.virtual, "},
	{"an absence earns credit without bound", "on and off/3/wait", "sched/rule.go",
		"return max(service, ", "return min(service, "},
	{"a cancel forgives", "cancel and ask again/1/gain", "sched/scheduler.go",
		"s.place(t, s.service(t)+kept)\n\tcase", "s.place(t, min(s.service(t), s.virtual)+kept)\n\tcase"},
	{"a Min is not charged", "Min and Max/1/gain", "sched/place.go",
		"t.slope = float64(t.held) * t.perSlot\n\tif !is", "t.slope = float64(max(0, int(t.held)-t.share.Min)) * t.perSlot\n\tif !is"},
	{"a new name starts below everybody who was served", "fresh names/1/gain", "sched/level.go",
		"return s.levelAbove(s.virtual)", "return s.virtual"},
	{"a queue that is empty for an instant is forgiven", "unequal weights/1/gain", "sched/rule.go",
		"		s.lapsed = t\n", "		s.lapsed = nil\n"},
	{"who is cut off has no more time when it tries again", "Reclaim/1/wait", "recall.go",
		"o.Cuts, o.Turns = min(o.Cuts+1, maxCuts), 0", "o.Turns = 0"},
	{"a change of weight multiplies a credit", "", "sched/settings.go",
		"scaled := s.reweigh(service, before/share.Weight)", "scaled := service"},
}

func TestEveryMistakeIsFound(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("builds the tests anew for each mistake")
	}
	for _, m := range mistakes {
		t.Run(m.what, func(t *testing.T) {
			t.Parallel()
			path, err := filepath.Abs(filepath.Join("..", "..", filepath.FromSlash(m.file)))
			require.NoError(t, err)
			source, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Contains(t, string(source), m.from, "the code has changed: plant the mistake anew")

			dir := t.TempDir()
			flawed, list, command := filepath.Join(dir, "flawed.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "search")
			if runtime.GOOS == "windows" {
				command += ".exe"
			}
			require.NoError(t, os.WriteFile(flawed, []byte(strings.Replace(string(source), m.from, m.to, 1)), 0o644))
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: flawed}})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(list, overlay, 0o644))
			out, err := exec.Command("go", "test", "-c", "-overlay", list, "-o", command, ".").CombinedOutput()
			require.NoError(t, err, "%s", out)

			run := "TestFigures"
			if m.search != "" {
				run = "TestNoStrategy/^" + strings.ReplaceAll(strings.ReplaceAll(m.search, " ", "_"), "/", "$/^") + "$"
			}
			out, err = exec.Command(command, "-test.run", run, "-effort", "0.5").CombinedOutput()
			require.Error(t, err, "not found:\n%s", out)
			_, line, found := strings.Cut(string(out), "Messages:")
			require.True(t, found, "%s", out)
			t.Log(strings.TrimSpace(line[:strings.Index(line, "\n")]))
		})
	}
}
