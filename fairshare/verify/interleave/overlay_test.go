package interleave

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const turns = "github.com/fairpool/fairpool/fairshare/verify/interleave/turns"

// rewrites turn the source of fairshare into one that takes turns, line by
// line. What they leave out does not compile, or is found by leftover.
var rewrites = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`"sync"`), `"` + turns + `/sync"`},
	{regexp.MustCompile(`"sync/atomic"`), `"` + turns + `/atomic"`},
	{regexp.MustCompile(`make\(chan struct\{\}, 1\)`), `turns.NewSignal()`},
	{regexp.MustCompile(`(\w+) +chan struct\{\}`), `$1 *turns.Signal`},
	{regexp.MustCompile(`([\w.]+) <- struct\{\}\{\}`), `$1.Send()`},
	{regexp.MustCompile(`(?m)^(\t+)<-([\w.]+)$`), `$1$2.Receive()`},
	{regexp.MustCompile(`select \{\n(\t+)case <-([\w.]+):\n([^}]*)\n(\t+)case <-done:`),
		"switch turns.Select($2, done) {\n${1}case 0:\n$3\n${4}default:"},
	{regexp.MustCompile(`select \{(\n\t+case <-done:\n[^}]*\n\t+default:)`), `turns.Point("looks at its context"); select {$1`},
	{regexp.MustCompile(`\bgo ([\w.]+)\(\)`), `turns.Go("$1", $1)`},
	{regexp.MustCompile(`time\.(Now|Since)\b`), `turns.$1`},
	// Once is as good as often.
	{regexp.MustCompile(`for range 64 \{`), `for range 1 {`},
	{regexp.MustCompile(`const maxRounds = 256`), `const maxRounds = 1`},
}

// leftover is what would not take turns.
var leftover = regexp.MustCompile(`\bselect \{\n\t+case <-[^d]|\bgo (func|\w+\.)|"sync`)

var takesTurns = regexp.MustCompile(`\bturns\.[A-Z]`)

// source is the source of fairshare, by path, rewritten.
func source(t *testing.T) map[string]string {
	files, err := filepath.Glob(filepath.Join("..", "..", "*.go"))
	require.NoError(t, err)
	all := make(map[string]string)
	used := make([]bool, len(rewrites))
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		text := string(raw)
		for i, r := range rewrites {
			used[i] = used[i] || r.from.MatchString(text)
			text = r.from.ReplaceAllString(text, r.to)
		}
		require.NotRegexp(t, leftover, text, path)
		if takesTurns.MatchString(text) {
			text = strings.Replace(text, "\n\n", `; import "`+turns+"\"\n\n", 1)
		}
		absolute, err := filepath.Abs(path)
		require.NoError(t, err)
		all[absolute] = text
	}
	for i, r := range rewrites {
		require.True(t, used[i], "nothing in fairshare looks like %v any more", r.from)
	}
	return all
}

// build builds command explore with the given source of fairshare.
func build(t *testing.T, source map[string]string) (command string) {
	dir := t.TempDir()
	replace := make(map[string]string)
	for path, text := range source {
		replace[path] = filepath.Join(dir, filepath.Base(path))
		require.NoError(t, os.WriteFile(replace[path], []byte(text), 0o644))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	list := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(list, overlay, 0o644))
	command = filepath.Join(dir, "explore")
	if runtime.GOOS == "windows" {
		command += ".exe"
	}
	out, err := exec.Command("go", "build", "-overlay", list, "-o", command, "./explore").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return command
}
