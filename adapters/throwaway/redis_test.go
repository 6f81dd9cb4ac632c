package throwaway_test

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// ask sends one command and returns the first line of the answer.
func ask(addr, command string, patience time.Duration) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

func requireAnswer(t *testing.T, want, addr, command string) {
	t.Helper()
	got, err := ask(addr, command, 10*time.Second)
	require.NoError(t, err)
	require.Equal(t, want+"\r\n", got)
}

func TestARedisForgetsWhenItRestartsUnlessItPersists(t *testing.T) {
	for _, persist := range []bool{false, true} {
		r := throwaway.RedisFor(t, throwaway.RedisConfig{Persist: persist, Settings: map[string]string{"maxmemory": "10mb"}})
		addr := r.Addr()
		requireAnswer(t, "+OK", addr, "SET key value")
		require.NoError(t, r.Kill())
		_, err := ask(addr, "EXISTS key", time.Second)
		require.Error(t, err, "nobody answers for a killed server")
		require.NoError(t, r.Start(t.Context()))
		require.Equal(t, addr, r.Addr())
		want := map[bool]string{false: ":0", true: ":1"}[persist]
		requireAnswer(t, want, addr, "EXISTS key")

		require.NoError(t, r.Restart(t.Context()))
		requireAnswer(t, want, addr, "EXISTS key")
		require.NoError(t, r.Stop())
		require.ErrorContains(t, r.Pause(), "redis does not run")
		require.NoError(t, r.Close())
	}
}

func TestAPausedRedisAnswersWhenItContinues(t *testing.T) {
	r := throwaway.RedisFor(t, throwaway.RedisConfig{})
	conn, err := net.Dial("tcp", r.Addr())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, r.Pause())
	_, err = fmt.Fprintf(conn, "PING\r\n")
	require.NoError(t, err)
	answer := make([]byte, 7)
	conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err = conn.Read(answer)
	require.ErrorContains(t, err, "i/o timeout")
	require.NoError(t, r.Continue())
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = conn.Read(answer)
	require.NoError(t, err)
	require.Equal(t, "+PONG\r\n", string(answer))

	require.NoError(t, r.Pause())
	require.NoError(t, r.Close(), "a paused server can be closed")
}
