package throwaway

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// A MissingError says that a program is not installed.
type MissingError struct {
	Program string // such as "initdb"
	Package string // of Debian and Ubuntu that has it
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("throwaway: %s is not installed; on Debian and Ubuntu it is in the package %s", e.Program, e.Package)
}

func missing(name string) *MissingError {
	return &MissingError{Program: name, Package: programNamed(name).debian}
}

// outside are patterns of the folders beside PATH in which packages put
// binaries of servers.
var outside = []string{
	"/usr/lib/postgresql/*/bin",    // Debian
	"/usr/pgsql-*/bin",             // Red Hat
	"/opt/homebrew/opt/*/bin",      // macOS
	"/usr/local/opt/*/bin",         //
	"/usr/sbin", "/usr/local/sbin", // not on everybody's PATH
}

// find returns the path of a program under the first of its names that is
// installed: from PATH, else the one of the highest version from elsewhere.
func find(names ...string) (string, error) {
	if hidden(names[0]) {
		return "", missing(names[0])
	}
	for _, program := range names {
		if path, err := exec.LookPath(program); err == nil {
			return filepath.Abs(path)
		}
		for _, pattern := range outside {
			found, _ := filepath.Glob(filepath.Join(pattern, program))
			slices.SortFunc(found, func(a, b string) int {
				return cmp.Or(cmp.Compare(version(b), version(a)), cmp.Compare(b, a))
			})
			for _, path := range found {
				if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
					return path, nil
				}
			}
		}
	}
	return "", missing(names[0])
}

// version returns the last number in the path of a binary's folder.
func version(path string) float64 {
	dir, last := filepath.Dir(path), 0.0
	for i := 0; i < len(dir); i++ {
		end := i
		for end < len(dir) && (dir[end] >= '0' && dir[end] <= '9' || end > i && dir[end] == '.') {
			end++
		}
		if n, err := strconv.ParseFloat(dir[i:end], 64); err == nil {
			last = n
		}
		i = max(i, end-1)
	}
	return last
}
