// Command skipped runs tests, and says at the end which were skipped because a
// program is not installed, and how to install it:
//
//	go run ./adapters/throwaway/skipped
//
// It takes what "go test" takes. Without arguments it runs the packages of the
// workspace whose tests may need such a program.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

const module = "github.com/fairpool/fairpool/adapters/throwaway"

func main() {
	args := os.Args[1:]
	if len(args) == 0 {
		var err error
		if args, err = needing(); err != nil {
			fmt.Fprintln(os.Stderr, "skipped:", err)
			os.Exit(1)
		}
	}
	os.Exit(run(args, os.Stdout))
}

// needing returns the packages of the workspace whose tests import throwaway.
func needing() (packages []string, err error) {
	list := exec.Command("go", "list", "-test", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "work")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		deps := strings.Fields(line)
		name, isTest := strings.CutSuffix(deps[0], ".test")
		for _, dep := range deps[1:] {
			if isTest && (dep == module || strings.HasPrefix(dep, module+" ")) {
				packages = append(packages, name)
				break
			}
		}
	}
	return packages, nil
}

// run runs "go test" with the arguments, prints what it prints of packages and of
// failures, and then the report. It returns the exit code of "go test".
func run(args []string, out io.Writer) int {
	test := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	test.Stderr = os.Stderr
	events, err := test.StdoutPipe()
	if err == nil {
		err = test.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "skipped:", err)
		return 1
	}
	lacks, err := read(events, out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "skipped:", err)
		io.Copy(io.Discard, events)
	}
	waited := test.Wait()
	lacks.report(out)
	var exit *exec.ExitError
	switch {
	case errors.As(waited, &exit):
		return exit.ExitCode()
	case err != nil || waited != nil:
		return 1
	}
	return 0
}

// An event is a line of "go test -json".
type event struct {
	Action, Package, Test, Output string
}

// read copies what "go test" prints without -v to out, and returns what the
// skipped tests lack.
func read(events io.Reader, out io.Writer) (lacking, error) {
	lacks := make(lacking)
	said := make(map[string]*bytes.Buffer) // by package and test
	for in := json.NewDecoder(events); ; {
		var e event
		if err := in.Decode(&e); err == io.EOF {
			return lacks, nil
		} else if err != nil {
			return lacks, fmt.Errorf("read the output of go test: %w", err)
		}
		key := e.Package + " " + e.Test
		if said[key] == nil {
			said[key] = new(bytes.Buffer)
		}
		switch e.Action {
		case "output", "build-output":
			if result, _, _ := strings.Cut(e.Output, "\t"); e.Test == "" && (result == "ok  " || result == "FAIL" || result == "?   ") || e.Action == "build-output" {
				io.WriteString(out, e.Output)
			} else {
				said[key].WriteString(e.Output)
			}
			continue
		case "fail":
			out.Write(said[key].Bytes())
		case "skip":
			if e.Test != "" {
				lacks.add(e.Package, said[key].String())
			}
		case "pass":
		default:
			continue
		}
		delete(said, key)
	}
}
