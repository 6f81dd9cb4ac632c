package throwaway

import (
	"os"
	"slices"
	"strings"
)

// A program is one that something here needs and that does not come with Go. Each
// field but the first names what brings it; "" means that nothing needs it on that
// system, or that there is no such thing.
type program struct {
	name     string
	debian   string // package
	homebrew string // formula or cask
	winget   string
}

var programs = []program{
	{"initdb", "postgresql", "postgresql@17", ""},
	{"postgres", "postgresql", "postgresql@17", ""},
	{"psql", "postgresql-client", "postgresql@17", ""},
	{"pgbouncer", "pgbouncer", "pgbouncer", ""},
	{"redis-server", "redis-server", "redis", ""},
	{"chromium-headless-shell", "chromium-headless-shell", "--cask google-chrome", "Google.Chrome"},
	{"chromium", "chromium", "", ""},
	{"wrk", "wrk", "", ""},
	{"cc", "gcc libc6-dev", "", ""},
}

// programNamed returns what is known of a program.
func programNamed(name string) program {
	if i := slices.IndexFunc(programs, func(p program) bool { return p.name == name }); i >= 0 {
		return programs[i]
	}
	return program{name: name, debian: name, homebrew: name}
}

// hidden reports whether the environment variable FAIRPOOL_HIDE, a list of names
// with commas or "all", has a program count as missing.
func hidden(name string) bool {
	list := os.Getenv("FAIRPOOL_HIDE")
	return list == "all" || slices.Contains(strings.Split(list, ","), name)
}

// Install returns the command that installs the program on a system, which is one
// of the values of runtime.GOOS, or says that it is not needed there. On Windows
// servers run in its subsystem for Linux.
func (e *MissingError) Install(goos string) string {
	p := programNamed(e.Program)
	switch {
	case goos == "darwin" && p.homebrew != "":
		return "brew install " + p.homebrew
	case goos == "windows" && p.winget != "":
		return "winget install " + p.winget
	case goos == "windows" && p.homebrew != "":
		return "as on Debian, in WSL"
	case goos == "darwin", goos == "windows":
		return "not needed"
	}
	return "apt-get install " + e.Package
}
