// Package documents checks what the Markdown files of the repository show: that each program compiles and that
// each link and each example that is named is there.
package documents

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// documents are all Markdown files, by their path from the root.
func documents(t *testing.T) map[string]string {
	all := make(map[string]string)
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		all[filepath.ToSlash(name)] = string(text)
		return err
	}))
	require.Contains(t, all, "README.md")
	return all
}

var block = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// Each program of a document, which is to say each block with a package clause, is built as it stands.
func TestTheProgramsOfAllDocumentsCompile(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds with all modules together")
	}
	here, err := os.Getwd()
	require.NoError(t, err)
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	build := []string{"build", "-o", os.DevNull, "-overlay", filepath.Join(t.TempDir(), "overlay.json")}
	folders := t.TempDir()
	for name, text := range documents(t) {
		for i, found := range block.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(found[1], "package ") {
				continue
			}
			folder := fmt.Sprintf("%s-%d", strings.NewReplacer("/", "-", ".", "-").Replace(name), i)
			source := filepath.Join(folders, folder+".go")
			require.NoError(t, os.WriteFile(source, []byte(found[1]), 0o600))
			overlay.Replace[filepath.Join(here, folder, "main.go")] = source
			build = append(build, "./"+folder)
		}
	}
	require.GreaterOrEqual(t, len(overlay.Replace), 2, "README has that many")
	text, err := json.Marshal(overlay)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(build[4], text, 0o600))
	output, err := exec.Command("go", build...).CombinedOutput()
	require.NoError(t, err, "%s", output)
}

var code = regexp.MustCompile("`[^`]*`")

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestTheLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	for name, text := range documents(t) {
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(block.ReplaceAllString(text, ""), ""), -1) {
			_, err := os.Stat(filepath.Join(root, filepath.Dir(name), found[1]))
			require.NoError(t, err, "%s: %s", name, found[1])
		}
	}
}

var named = regexp.MustCompile(`(?m)^\| .* \| (.*) \|$`)

// Each example that the index names is in the file that it links.
func TestTheIndexNamesExamplesThatExist(t *testing.T) {
	example, file := regexp.MustCompile("`(Example\\w*)`"), regexp.MustCompile(`\(([^)]*_test\.go)\)`)
	indexed := 0
	for _, row := range named.FindAllStringSubmatch(documents(t)["examples/README.md"], -1) {
		for _, part := range strings.SplitAfter(row[1], ")") {
			names := example.FindAllStringSubmatch(part, -1)
			at := file.FindStringSubmatch(part)
			if at == nil {
				require.Empty(t, names, row[0])
				continue
			}
			text, err := os.ReadFile(filepath.Join(root, "examples", at[1]))
			require.NoError(t, err)
			for _, name := range names {
				require.Contains(t, string(text), "func "+name[1]+"()", row[0])
				indexed++
			}
		}
	}
	require.Greater(t, indexed, 40)
}
