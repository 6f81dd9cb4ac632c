package interleave

import (
	"encoding/json"
	"fmt"
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

// packages are those whose source takes turns, and where it is.
var packages = map[string]string{
	"fairshare": filepath.Join("..", ".."),
	"pool":      filepath.Join("..", "..", "..", "pool"),
}

// A rewrite changes the source of a package, "" meaning both.
type rewrite struct {
	in   string
	from *regexp.Regexp
	to   string
}

// rewrites turn the source into one that takes turns, line by line. What they
// leave out does not compile, or is found by leftover.
var rewrites = []rewrite{
	{"", regexp.MustCompile(`"sync"`), `"` + turns + `/sync"`},
	{"", regexp.MustCompile(`"sync/atomic"`), `"` + turns + `/atomic"`},
	{"fairshare", regexp.MustCompile(`make\(chan struct\{\}, 1\)`), `turns.NewSignal()`},
	{"fairshare", regexp.MustCompile(`(\w+) +chan struct\{\}`), `$1 *turns.Signal`},
	{"fairshare", regexp.MustCompile(`([\w.]+) <- struct\{\}\{\}`), `$1.Send()`},
	{"fairshare", regexp.MustCompile(`(?m)^(\t+)<-([\w.]+)$`), `$1$2.Receive()`},
	{"fairshare", regexp.MustCompile(`select \{\n(\t+)case <-([\w.]+):\n([^}]*)\n(\t+)case <-done:`),
		"switch turns.Select($2, done) {\n${1}case 0:\n$3\n${4}default:"},
	{"fairshare", regexp.MustCompile(`select \{(\n\t+case <-done:\n[^}]*\n\t+default:)`), `turns.Point("looks at its context"); select {$1`},
	{"pool", regexp.MustCompile(`(?m)^\tgo func\(\) \{\n((?:\t\t.*\n)+)\t\}\(\)$`), "\tturns.Go(\"another\", func() {\n$1\t})"},
	{"", regexp.MustCompile(`\bgo ([\w.]+)\(\)`), `turns.Go("$1", $1)`},
	{"pool", regexp.MustCompile(`\bgo ([\w.]+)\((.+)\)`), `turns.Go("$1", func() { $1($2) })`},
	{"pool", regexp.MustCompile(`<-protected\(what, fn\)`), `fn()`}, // its goroutine does nothing else
	{"pool", regexp.MustCompile(`"github.com/jackc/puddle/v2"`), `"` + turns + `/puddle"`},
	{"", regexp.MustCompile(`time\.AfterFunc\b`), `turns.AfterFunc`},
	{"", regexp.MustCompile(`\*time\.Timer\b`), `*turns.Timer`},
	{"", regexp.MustCompile(`time\.(Now|Since)\b`), `turns.$1`},
	// Whoever reads it in between does what it would do a moment before or after,
	// see protocol/reduce.go.
	{"fairshare", regexp.MustCompile(`l\.locked\.(Store|Load)\(`), `l.locked.${1}AtOnce(`},
	// Once is as good as often.
	{"fairshare", regexp.MustCompile(`const maxRounds = 256`), `const maxRounds = 1`},
}

// leftover is what would not take turns. Of a pool, only Shutdown, Warm and the
// hooks wait for channels, which no scenario has.
var leftover = map[string]*regexp.Regexp{
	"fairshare": regexp.MustCompile(`(?m)\bselect \{\n\t+case <-[^d]|^\t+go |"sync`),
	"pool":      regexp.MustCompile(`(?m)^\t+go |"sync`),
}

var (
	takesTurns = regexp.MustCompile(`\bturns\.[A-Z]`)
	takesTime  = regexp.MustCompile(`\btime\.[A-Z]`)
)

// source is the source of the packages, by path, rewritten.
func source(t *testing.T) map[string]string {
	all := make(map[string]string)
	used := make([]bool, len(rewrites))
	for name, dir := range packages {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			text := string(raw)
			for i, r := range rewrites {
				if r.in == "" || r.in == name {
					used[i] = used[i] || r.from.MatchString(text)
					text = r.from.ReplaceAllString(text, r.to)
				}
			}
			require.NotRegexp(t, leftover[name], text, path)
			if takesTurns.MatchString(text) {
				text = strings.Replace(text, "\n\n", `; import "`+turns+"\"\n\n", 1)
			}
			if !takesTime.MatchString(text) {
				text = strings.Replace(text, "\t\"time\"\n", "", 1)
			}
			absolute, err := filepath.Abs(path)
			require.NoError(t, err)
			all[absolute] = text
		}
	}
	for i, r := range rewrites {
		require.True(t, used[i], "nothing in %q looks like %v any more", r.in, r.from)
	}
	return all
}

// isFile reports whether path leads to a file of a package, such as "pool/build.go".
func isFile(path, file string) bool { return strings.HasSuffix(filepath.ToSlash(path), "/"+file) }

// build builds command explore with the given source of the packages.
func build(t *testing.T, source map[string]string) (command string) {
	dir := t.TempDir()
	replace := make(map[string]string)
	for path, text := range source {
		replace[path] = filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
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
	// Nobody debugs it, and without the tables for that it is linked sooner.
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", list, "-o", command, "./explore").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return command
}
