//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// launch runs the program in a process of its own, until its first line.
func launch(t *testing.T, stderr io.Writer) (*exec.Cmd, io.ReadCloser) {
	t.Helper()
	useOwnTempDir(t)
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = stderr
	cmd.WaitDelay = 10 * time.Second
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	return cmd, stdout
}

func requireStopped(t *testing.T, cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	var exit *exec.ExitError
	require.True(t, errors.As(cmd.Wait(), &exit))
	require.Equal(t, 130, exit.ExitCode(), stderr.String())
	require.Equal(t, "quickstart: stopped\n", stderr.String())
	requireEmptyTempDir(t)
}

func TestASignalStopsTheProgramInOrder(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		var stderr bytes.Buffer
		cmd, _ := launch(t, &stderr)
		require.NoError(t, cmd.Process.Signal(signal))
		requireStopped(t, cmd, &stderr)
	}
}

func TestAReaderThatGoesAwayStopsTheProgramInOrder(t *testing.T) {
	var stderr bytes.Buffer
	cmd, stdout := launch(t, &stderr)
	require.NoError(t, stdout.Close())
	requireStopped(t, cmd, &stderr)
}
