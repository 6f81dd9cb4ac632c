package throwaway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// A server is a process with a folder and a port.
type server struct {
	name   string
	dir    string // all that it writes
	port   int
	user   *account
	env    []string // beside the usual
	clock  string   // the file that says how far its clock is ahead; "": it has none of its own
	keeper *keeper

	arguments func() []string // program and arguments, for the present port
	ready     func(pid int) error

	mu     sync.Mutex // held while the server is started, stopped or closed
	closed bool
	cmd    *exec.Cmd     // nil before the first start
	exited chan struct{} // closed when cmd has
}

const (
	startTimeout = time.Minute
	stopTimeout  = 10 * time.Second
	pollEvery    = 5 * time.Millisecond
)

// newServer prepares a folder for a server.
func newServer(name string) (*server, error) {
	if !supported {
		return nil, fmt.Errorf("throwaway: cannot start %s on %s: %w", name, runtime.GOOS, errors.ErrUnsupported)
	}
	u, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "throwaway-"+name+"-")
	if err != nil {
		return nil, fmt.Errorf("throwaway: %w", err)
	}
	if u != nil {
		err = os.Chown(dir, int(u.uid), int(u.gid))
	}
	s := &server{name: name, dir: dir, user: u}
	if err == nil {
		s.keeper, err = keep(dir)
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("throwaway: %w", err)
	}
	return s, nil
}

// run runs a program to its end, as the server's user.
func (s *server) run(ctx context.Context, program string, args ...string) error {
	cmd := s.command(program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	over, err := launch(cmd)
	if err != nil {
		return fmt.Errorf("throwaway: %w", err)
	}
	select {
	case <-over:
	case <-ctx.Done():
		sendGroup(cmd.Process.Pid, kill)
		<-over
		return fmt.Errorf("throwaway: %s: %w", filepath.Base(program), context.Cause(ctx))
	}
	if !cmd.ProcessState.Success() {
		return fmt.Errorf("throwaway: %s: %v: %s", filepath.Base(program), cmd.ProcessState, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

func (s *server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = s.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LC_ALL=C", "TZ=UTC"}, s.env...)
	disown(cmd, s.user)
	return cmd
}

// launch starts cmd and returns a channel that is closed when it has ended. The
// thread that starts a child outlives it: its end would be that of the child.
func launch(cmd *exec.Cmd) (over <-chan struct{}, err error) {
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
	}()
	return ended, <-started
}

// startSomewhere starts the server for the first time, on a port that it picks.
func (s *server) startSomewhere(ctx context.Context) error {
	for try := 1; ; try++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		s.port = port
		err = s.Start(ctx)
		if err == nil || isFree(port) || try == 5 {
			return err
		}
		// Somebody was faster.
	}
}

// Start starts the server, on the port that it had, and waits until it can be
// used. It does nothing if the server runs. It ends with ctx, or after a minute.
func (s *server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startLocked(ctx)
}

func (s *server) startLocked(ctx context.Context) error {
	if s.closed {
		return fmt.Errorf("throwaway: %s: %w", s.name, os.ErrClosed)
	}
	if s.runningLocked() {
		return nil
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("throwaway: %w", err)
	}
	defer log.Close()
	args := s.arguments()
	cmd := s.command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	over, err := launch(cmd)
	if err != nil {
		return fmt.Errorf("throwaway: %w", err)
	}
	s.keeper.watch(cmd.Process.Pid)
	s.cmd, s.exited = cmd, make(chan struct{})
	go func(exited chan struct{}) {
		<-over
		close(exited)
	}(s.exited)
	if err := s.awaitLocked(ctx); err != nil {
		s.endLocked(kill)
		return err
	}
	return nil
}

// awaitLocked waits until a server that was started can be used.
func (s *server) awaitLocked(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := s.ready(s.cmd.Process.Pid)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.exited:
			return fmt.Errorf("throwaway: %s has ended: %v; its log ends with:\n%s", s.name, s.cmd.ProcessState, s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("throwaway: %s is not ready: %w: %w; its log ends with:\n%s", s.name, ctx.Err(), err, s.logTail())
		}
	}
}

func (s *server) runningLocked() bool {
	if s.cmd == nil {
		return false
	}
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// endLocked sends a signal that ends the server, and waits for its end, which it
// enforces after ten seconds.
func (s *server) endLocked(how signal) error {
	if !s.runningLocked() {
		return nil
	}
	pid := s.cmd.Process.Pid
	if err := send(pid, how); err != nil {
		return fmt.Errorf("throwaway: %s: %w", s.name, err)
	}
	patience := time.NewTimer(stopTimeout)
	defer patience.Stop()
	var err error
	select {
	case <-s.exited:
	case <-patience.C:
		err = fmt.Errorf("throwaway: %s did not end within %v of signal %v, and was killed", s.name, stopTimeout, how)
		sendGroup(pid, kill)
		<-s.exited
	}
	s.keeper.watch(0)
	return err
}

func (s *server) end(how signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endLocked(how)
}

func (s *server) restart(ctx context.Context, how signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.endLocked(how); err != nil {
		return err
	}
	return s.startLocked(ctx)
}

// close ends the server and removes its folder.
func (s *server) close(how signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.endLocked(how)
	if kerr := s.keeper.dismiss(); kerr != nil {
		kerr = fmt.Errorf("throwaway: removing %s: %w", s.dir, kerr)
		err = errors.Join(err, kerr)
	}
	return err
}

// Addr returns the host and port that the server listens on.
func (s *server) Addr() string { return address(s.port) }

// Log returns what the server has written to its standard output and error.
func (s *server) Log() string {
	text, _ := os.ReadFile(s.logFile())
	return string(text)
}

func (s *server) logFile() string { return filepath.Join(s.dir, "server.log") }

// logTail returns the last lines of the log.
func (s *server) logTail() string {
	const most = 2000
	text := s.Log()
	return text[max(0, len(text)-most):]
}
