package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const output = `{"Action":"start","Package":"m/a"}
{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"    a_test.go:9: throwaway: wrk is not installed; on Debian and Ubuntu it is in the package wrk\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"m/a","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"m/a","Test":"TestB","Output":"    a_test.go:19: takes long\n"}
{"Action":"skip","Package":"m/a","Test":"TestB","Elapsed":0}
{"Action":"output","Package":"m/a","Output":"PASS\n"}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.003s\n"}
{"Action":"pass","Package":"m/a","Elapsed":0.003}
{"Action":"output","Package":"m/b","Test":"TestC","Output":"    b_test.go:7: oops\n"}
{"Action":"fail","Package":"m/b","Test":"TestC","Elapsed":0}
{"Action":"output","Package":"m/b","Output":"FAIL\tm/b\t0.1s\n"}
{"Action":"fail","Package":"m/b","Elapsed":0.1}
`

func TestTheReportNamesThePackagesAndHowToInstallWhatTheirTestsLack(t *testing.T) {
	var out strings.Builder
	lacks, err := read(strings.NewReader(output), &out)
	require.NoError(t, err)
	require.Equal(t, "ok  \tm/a\t0.003s\n    b_test.go:7: oops\nFAIL\tm/b\t0.1s\n", out.String(), "as go test prints it")
	out.Reset()
	lacks.report(&out)
	require.Equal(t, `
Skipped for want of a program:

program  tests  package
wrk      1      m/a

To run them, install these, and repeat the tests with -count=1:

program  Debian, Ubuntu       macOS       Windows
wrk      apt-get install wrk  not needed  not needed
`, out.String())
}

func TestNothingSkippedIsSaidToo(t *testing.T) {
	lacks, err := read(strings.NewReader(`{"Action":"pass","Package":"m/a"}`), new(strings.Builder))
	require.NoError(t, err)
	var out strings.Builder
	lacks.report(&out)
	require.Equal(t, "\nNo test was skipped for want of a program.\n", out.String())
}
