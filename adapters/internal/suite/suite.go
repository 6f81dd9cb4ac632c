// Package suite runs the tests of somebody else's package on another one in its
// place, and compares what comes of them with what is expected.
package suite

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A Suite is tests in the cache of modules. They are compiled as a package of the
// module whose test calls Run, and nothing of them is written there.
type Suite struct {
	Module string         // that has the tests, in the version that the caller's module requires
	Folder string         // in Module
	Skip   *regexp.Regexp // files that are left out, nil for none

	// Replace are packages that the tests import, and the file of the package
	// that they get instead.
	Replace map[string]string
	// Internal are folders of internal packages that the tests import.
	Internal []string
	// Rewrite are texts in the tests, and what stands there instead.
	Rewrite map[string]string

	// Database is what the tests find in PGX_TEST_DATABASE.
	Database string

	// Differences are the tests that are known to fail, and why. Run fails if
	// another one does, and if one of these does not.
	Differences map[string]string

	// Races are the tests that fail now and then, and why.
	Races map[string]string
}

// Run runs the tests of s and compares.
func Run(t *testing.T, s Suite) {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles a suite of tests")
	}
	overlay, pkg := s.overlay(t)
	binary := filepath.Join(t.TempDir(), "suite.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, pkg)
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, text)
	}
	cmd := exec.CommandContext(t.Context(), "go", "tool", "test2json", binary, "-test.v=test2json", "-test.timeout=8m")
	cmd.Dir = filepath.Dir(binary)
	cmd.Env = append(os.Environ(), "PGX_TEST_DATABASE="+s.Database)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	output, err := cmd.Output()
	results, text := read(output)
	if len(results) == 0 {
		t.Fatalf("no test ran: %v\n%s%s", err, &errors, text[""])
	}
	passed := 0
	for _, name := range slices.Sorted(maps.Keys(results)) {
		why, known := s.Differences[name]
		_, races := s.Races[name]
		switch result := results[name]; {
		case races:
		case result == "fail" && !known:
			t.Errorf("%s fails:\n%s", name, text[name])
		case result != "fail" && known:
			t.Errorf("%s does not fail any more (%s), so the difference is none: %s", name, result, why)
		}
		if results[name] != "fail" {
			passed++
		}
	}
	for _, named := range []map[string]string{s.Differences, s.Races} {
		for name := range named {
			if results[name] == "" {
				t.Errorf("there is no test %s any more", name)
			}
		}
	}
	t.Logf("%d of %d tests of %s/%s pass", passed, len(results), s.Module, s.Folder)
}

// overlay writes the files, and returns that of -overlay and the path of the
// package in it.
func (s *Suite) overlay(t *testing.T) (file, pkg string) {
	t.Helper()
	from := list(t, "-m", "-f", "{{.Dir}}", s.Module)
	module := list(t, "-m", "-f", "{{.Path}} {{.Dir}}")
	// With a workspace there are several; the test runs in its own.
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	path := ""
	for line := range strings.Lines(module) {
		if p, dir, _ := strings.Cut(strings.TrimSpace(line), " "); dir == here {
			path = p
		}
	}
	if path == "" {
		t.Fatalf("no module is in %s: %s", here, module)
	}
	out := t.TempDir()
	replace := map[string]string{}
	add := func(name string, text []byte) {
		file := filepath.Join(out, strconv.Itoa(len(replace))+".go")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(here, "suite", name)] = file
	}
	var rewrite []string
	for imported, file := range s.Replace {
		text := content(t, file)
		name := strings.TrimSuffix(filepath.Base(file), ".go")
		add(filepath.Join(name, name+".go"), text)
		rewrite = append(rewrite, strconv.Quote(imported), strconv.Quote(path+"/suite/"+name))
	}
	for _, folder := range s.Internal {
		name := filepath.Base(folder)
		for _, file := range sources(t, filepath.Join(from, filepath.FromSlash(folder), "*.go")) {
			if !strings.HasSuffix(file, "_test.go") {
				add(filepath.Join(name, filepath.Base(file)), content(t, file))
			}
		}
		rewrite = append(rewrite, strconv.Quote(s.Module+"/"+folder), strconv.Quote(path+"/suite/"+name))
	}
	for old, text := range s.Rewrite {
		rewrite = append(rewrite, old, text)
	}
	for _, file := range sources(t, filepath.Join(from, filepath.FromSlash(s.Folder), "*_test.go")) {
		name := filepath.Base(file)
		if s.Skip != nil && s.Skip.MatchString(name) {
			continue
		}
		add(filepath.Join("tests", name), []byte(strings.NewReplacer(rewrite...).Replace(string(content(t, file)))))
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(out, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, path + "/suite/tests"
}

func sources(t *testing.T, pattern string) []string {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files are %s: %v", pattern, err)
	}
	return files
}

func content(t *testing.T, file string) []byte {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func list(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	return strings.TrimSpace(string(output))
}

// read returns what came of each test that is not part of another, and what each
// printed; under "" what was printed by none.
func read(output []byte) (results map[string]string, text map[string]string) {
	results, text = map[string]string{}, map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			text[""] += fmt.Sprintln(lines.Text())
			continue
		}
		name, _, part := strings.Cut(e.Test, "/")
		text[name] += e.Output
		if e.Test == "" || part {
			continue
		}
		switch e.Action {
		case "run":
			results[name] = "fail" // unless it ends otherwise
		case "pass", "fail", "skip":
			results[name] = e.Action
		}
	}
	return results, text
}
