package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const readmeText = "# It\n\n" + marker + "\n\nold\n\n" + marker + "\n\nmore\n"

func TestTheBlockBetweenTheMarkersIsReplacedAndNothingElse(t *testing.T) {
	want := "# It\n\n" + marker + "\n\nnew\nlines\n\n" + marker + "\n\nmore\n"
	got, err := replaceBlock(readmeText, "\nnew\nlines\n")
	require.NoError(t, err)
	require.Equal(t, want, got)
	again, err := replaceBlock(got, "new\nlines")
	require.NoError(t, err)
	require.Equal(t, want, again)
}

func TestAFileWithoutItsTwoMarkersIsRefused(t *testing.T) {
	for _, text := range []string{"", marker, strings.Repeat(marker, 3)} {
		name := filepath.Join(t.TempDir(), "README.md")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
		require.ErrorContains(t, updatable(name), "must be two")
		require.ErrorContains(t, updateFile(name, "new"), "must be two")
		left, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, text, string(left))
	}
	require.ErrorIs(t, updatable(filepath.Join(t.TempDir(), "absent")), os.ErrNotExist)
}

// tiny is a command of one page with known figures.
func tiny(log *[]string) command {
	return command{rounds: 1, size: "tiny", pages: []page{{
		file: "tiny.md", title: "Tiny", about: "About it.\n", show: showSides,
		trials: []trial{{
			name: "it", title: "it", unit: "ns",
			sides: []side{scripted(log, "base", 1, 100), scripted(log, "ours", 1, 80)},
			ours:  []string{"ours"},
			rows: []row{
				{title: "all of it", base: "base", ours: "ours", first: true},
				{title: "more of it", ours: "ours"},
			},
		}},
	}}}
}

func TestTheCommandWritesTheMainTableAndThePages(t *testing.T) {
	var log []string
	folder := t.TempDir()
	c := tiny(&log)
	c.write, c.results = filepath.Join(folder, "README.md"), filepath.Join(folder, "a", "results")
	require.NoError(t, os.WriteFile(c.write, []byte(readmeText), 0o640))
	var out strings.Builder
	require.NoError(t, c.run(&out))

	row, more := "| all of it | base | 100 ns | 80 ns | 0, 0 | 0.80 (0.80-0.80) |  |  |\n", "| more of it |  |  | 80 ns | 0 |  |  |  |\n"
	readme, err := os.ReadFile(c.write)
	require.NoError(t, err)
	require.Contains(t, string(readme), "|---|---|---:|---:|---:|\n| all of it | base | 100 ns | 80 ns | 0.80 (0.80-0.80) |\n\n")
	require.NotContains(t, string(readme), "more of it")
	main, err := os.ReadFile(filepath.Join(c.results, mainFile))
	require.NoError(t, err)
	require.Contains(t, string(main), row+more)
	require.Contains(t, string(main), "tiny size, medians of 1 rounds")
	require.Contains(t, string(readme), "tiny size, medians of 1 rounds")
	require.NotContains(t, string(readme), "old")
	require.True(t, strings.HasPrefix(string(readme), "# It\n\n"+marker) && strings.HasSuffix(string(readme), marker+"\n\nmore\n"))
	full, err := os.ReadFile(filepath.Join(c.results, "tiny.md"))
	require.NoError(t, err)
	require.Contains(t, string(full), `## it

| with | each (quartiles) | allocs | ours / it |
| --- | ---: | ---: | ---: |
| base | 100 ns (100-100) | 0 | 0.80 (0.80-0.80) |
| ours | 80 ns (80-80) | 0 |  |
`)
	require.Contains(t, out.String(), row)
	require.Contains(t, out.String(), string(full))
}

func TestNothingIsMeasuredForAFileThatCannotBeUpdated(t *testing.T) {
	var log []string
	c := tiny(&log)
	c.write = filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(c.write, []byte("no block"), 0o644))
	require.ErrorContains(t, c.run(new(strings.Builder)), "must be two")
	c.rounds, c.write = 0, ""
	require.ErrorContains(t, c.run(new(strings.Builder)), "-rounds is 0")
	require.Empty(t, log)
}
