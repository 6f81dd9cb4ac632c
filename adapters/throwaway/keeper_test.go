package throwaway_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// startedBy is set in the environment of the process that a test kills.
const startedBy = "THROWAWAY_STARTED_BY"

// startAndWait is what that process does.
func startAndWait() {
	ctx := context.Background()
	p, err := throwaway.StartPostgres(ctx, throwaway.PostgresConfig{})
	if err == nil {
		_, err = throwaway.StartPgBouncer(ctx, p, throwaway.PgBouncerConfig{})
	}
	var r *throwaway.Redis
	if err == nil {
		r, err = throwaway.StartRedis(ctx, throwaway.RedisConfig{})
	}
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	r.Pause() // one that ignores most signals
	fmt.Println("ready", p.Addr(), r.Addr())
	select {}
}

// ownTemp returns a folder for temporary ones that nobody else uses.
func ownTemp(t *testing.T) string {
	temp := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(temp), 0o755)) // for the user that servers run as
	return temp
}

// folders returns those of servers.
func folders(t *testing.T, temp string) []string {
	found, err := filepath.Glob(filepath.Join(temp, "throwaway-*"))
	require.NoError(t, err)
	return found
}

func TestNothingOutlivesAKilledProcess(t *testing.T) {
	// Where one of them cannot be started the test is skipped.
	throwaway.PgBouncerFor(t, throwaway.PostgresFor(t, throwaway.PostgresConfig{}), throwaway.PgBouncerConfig{})
	throwaway.RedisFor(t, throwaway.RedisConfig{})

	temp := ownTemp(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), startedBy+"="+t.Name(), "TMPDIR="+temp)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	addrs := strings.Fields(line)
	require.Equal(t, "ready", addrs[0], line)
	require.Len(t, folders(t, temp), 3)

	require.NoError(t, cmd.Process.Kill())
	cmd.Wait()
	require.Eventually(t, func() bool { return len(folders(t, temp)) == 0 }, 30*time.Second, 10*time.Millisecond, "folders are left")
	for _, addr := range addrs[1:] {
		_, err := net.DialTimeout("tcp", addr, time.Second)
		require.ErrorContains(t, err, "connection refused")
	}
}
