package throwaway_test

import (
	"bufio"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// A settable server is one whose clock can be set and read.
type settable struct {
	SetClock func(ahead time.Duration) error
	now      func() time.Time
}

func requireClockFollows(t *testing.T, s settable) {
	for _, ahead := range []time.Duration{0, time.Hour, -25 * time.Hour, 1500 * time.Millisecond} {
		require.NoError(t, s.SetClock(ahead))
		before := time.Now().Truncate(time.Microsecond)
		now := s.now().Add(-ahead)
		require.WithinRange(t, now, before, time.Now(), "%v ahead", ahead)
	}
}

func TestTheClockOfARedisCanBeSet(t *testing.T) {
	r := throwaway.RedisFor(t, throwaway.RedisConfig{SettableClock: true, Persist: true})
	s := settable{r.SetClock, func() time.Time {
		conn, err := net.Dial("tcp", r.Addr())
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte("TIME\r\n"))
		require.NoError(t, err)
		var numbers [2]int64
		lines := bufio.NewScanner(conn)
		for i := 0; i < len(numbers) && lines.Scan(); {
			if text := lines.Text(); !strings.ContainsAny(text[:1], "*$") {
				numbers[i], err = strconv.ParseInt(text, 10, 64)
				require.NoError(t, err)
				i++
			}
		}
		return time.Unix(numbers[0], 1000*numbers[1])
	}}
	requireClockFollows(t, s)
	require.NoError(t, r.SetClock(time.Hour))
	require.NoError(t, r.Restart(t.Context()))
	require.Greater(t, time.Until(s.now()), 59*time.Minute, "a restart changes nothing")
}

func TestTheClockOfAPostgresCanBeSet(t *testing.T) {
	p := throwaway.PostgresFor(t, throwaway.PostgresConfig{SettableClock: true})
	requireClockFollows(t, settable{p.SetClock, func() time.Time {
		text := psql(t, p.URL("postgres"), "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
		us, err := strconv.ParseInt(text, 10, 64)
		require.NoError(t, err)
		return time.UnixMicro(us)
	}})
}

func TestAClockThatIsTheMachinesCannotBeSet(t *testing.T) {
	r := throwaway.RedisFor(t, throwaway.RedisConfig{})
	require.ErrorContains(t, r.SetClock(time.Hour), "redis was started without SettableClock")
}
