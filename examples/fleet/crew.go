package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet/seats"
)

// crew is the server and the workers.
type crew struct {
	server  *seats.Server
	hands   []*hand
	out     io.Writer
	while   time.Duration // for which the fleet is left to work
	seconds int
}

// A hand is a worker process.
type hand struct {
	*exec.Cmd
	input io.Closer // the worker ends with it
	last  atomic.Pointer[string]
	state string // instead of what it told last
	done  chan struct{}
}

// hire starts a worker.
func (c *crew) hire(t task) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	h := &hand{Cmd: exec.Command(program, "-worker", string(text)), done: make(chan struct{})}
	h.Stderr = os.Stderr
	if h.input, err = h.StdinPipe(); err != nil {
		return err
	}
	output, err := h.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.Start(); err != nil {
		return err
	}
	c.hands = append(c.hands, h)
	go func() {
		defer close(h.done)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			line := lines.Text()
			h.last.Store(&line)
		}
	}()
	return nil
}

// status is what the table shows of a worker.
func (h *hand) status() string {
	if h.state != "" {
		return h.state
	}
	if last := h.last.Load(); last != nil {
		return *last
	}
	return "-"
}

func (h *hand) kill() error {
	h.state = "dead"
	return h.Process.Kill()
}

func (h *hand) suspend() error {
	err := suspend(h.Process)
	if err == nil {
		h.state = "stop"
	}
	return err
}

func (h *hand) resume() error {
	h.state = ""
	return resume(h.Process)
}

// end has all workers leave.
func (c *crew) end() {
	for _, h := range c.hands {
		_ = resume(h.Process)
		_ = h.input.Close()
	}
	for _, h := range c.hands {
		<-h.done
		_ = h.Wait()
	}
}
