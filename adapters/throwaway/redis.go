package throwaway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// A RedisConfig describes a Redis server. Its zero value is good.
type RedisConfig struct {
	// Persist has the server log each write before it is acknowledged, so that
	// Kill followed by Start loses nothing. Otherwise it starts empty each time.
	Persist bool

	// Settings are server settings beside or instead of those that the package
	// chooses. The port is not among them.
	Settings map[string]string

	// SettableClock has SetClock work. It needs a C compiler, and Linux.
	SettableClock bool
}

// A Redis is a Redis or Valkey server.
type Redis struct{ *server }

// StartRedis starts a server. It needs redis-server or valkey-server. The caller
// closes the server.
func StartRedis(ctx context.Context, cfg RedisConfig) (*Redis, error) {
	program, err := find("redis-server", "valkey-server")
	if err != nil {
		return nil, err
	}
	if _, ok := cfg.Settings["port"]; ok {
		return nil, fmt.Errorf("throwaway: RedisConfig.Settings[%q] is %q, but the port is chosen", "port", cfg.Settings["port"])
	}
	s, err := newServer("redis")
	if err != nil {
		return nil, err
	}
	r := &Redis{s}
	if cfg.SettableClock {
		if err := s.ownClock(ctx); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	s.ready = func(int) error { return pong(s.Addr()) }
	s.arguments = func() []string {
		args := []string{program,
			"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir,
			"--save", "", "--appendonly", yes(cfg.Persist), "--appendfsync", "no"}
		for name, value := range cfg.Settings {
			args = append(args, "--"+name, value)
		}
		return args
	}
	if err := s.startSomewhere(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// pong asks a server whether it has loaded its data.
func pong(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return err
	}
	const want = "+PONG\r\n"
	answer := make([]byte, len(want))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if string(answer) != want {
		return fmt.Errorf("answers %q to PING", answer)
	}
	return nil
}

// Kill ends the server as a crash would.
func (r *Redis) Kill() error { return r.end(kill) }

// Stop stops the server in good order and waits until it has ended. Start starts
// it again on the same port.
func (r *Redis) Stop() error { return r.end(terminate) }

// Restart is Stop and Start.
func (r *Redis) Restart(ctx context.Context) error { return r.restart(ctx, terminate) }

// Pause has the server hang, until Continue: connections stay open and are
// accepted, but nothing is answered.
func (r *Redis) Pause() error { return r.signal(pause) }

// Continue ends a Pause.
func (r *Redis) Continue() error { return r.signal(resume) }

func (s *server) signal(sig signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.runningLocked() {
		return fmt.Errorf("throwaway: %s does not run", s.name)
	}
	if err := sendGroup(s.cmd.Process.Pid, sig); err != nil {
		return fmt.Errorf("throwaway: %s: %w", s.name, err)
	}
	return nil
}

// Close ends the server and removes all that is left of it. Further calls do
// nothing.
func (r *Redis) Close() error { return r.close(kill) }
