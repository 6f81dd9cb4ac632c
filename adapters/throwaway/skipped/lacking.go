package main

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/fairpool/fairpool/adapters/throwaway"
)

// lacking is how many tests were skipped for want of a program, by the program
// and the package of the tests.
type lacking map[throwaway.MissingError]map[string]int

// message is the text of a MissingError.
var message = regexp.MustCompile(`throwaway: (\S+) is not installed; on Debian and Ubuntu it is in the package (.+)`)

// add counts a skipped test, if what it said tells that a program is missing.
func (l lacking) add(pkg, said string) {
	found := message.FindStringSubmatch(said)
	if found == nil {
		return
	}
	missing := throwaway.MissingError{Program: found[1], Package: found[2]}
	if l[missing] == nil {
		l[missing] = make(map[string]int)
	}
	l[missing][pkg]++
}

// report prints which tests were skipped, and how to install what they need.
func (l lacking) report(out io.Writer) {
	if len(l) == 0 {
		fmt.Fprintln(out, "\nNo test was skipped for want of a program.")
		return
	}
	byName := slices.SortedFunc(maps.Keys(l), func(a, b throwaway.MissingError) int { return strings.Compare(a.Program, b.Program) })
	fmt.Fprintf(out, "\nSkipped for want of a program:\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "program\ttests\tpackage")
	for _, missing := range byName {
		name := missing.Program
		for _, pkg := range slices.Sorted(maps.Keys(l[missing])) {
			fmt.Fprintf(table, "%s\t%d\t%s\n", name, l[missing][pkg], pkg)
			name = ""
		}
	}
	table.Flush()
	fmt.Fprintf(out, "\nTo run them, install these, and repeat the tests with -count=1:\n\n")
	table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "program\tDebian, Ubuntu\tmacOS\tWindows")
	for _, missing := range byName {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", missing.Program, missing.Install("linux"), missing.Install("darwin"), missing.Install("windows"))
	}
	table.Flush()
}
