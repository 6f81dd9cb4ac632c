package main

import (
	"os"
	"sync"

	"github.com/charmbracelet/x/term"
)

// A view shows a stage until it ends. It calls stop if the user wants no more.
type view func(st *stage, stop func())

// viewFor returns the live picture if there is a terminal to draw it on.
func viewFor(in, out *os.File) view {
	if term.IsTerminal(in.Fd()) && term.IsTerminal(out.Fd()) && os.Getenv("TERM") != "dumb" {
		return liveView(in, out)
	}
	return plainView(out)
}

// A stage is where the views look to see what goes on.
type stage struct {
	config config
	ended  chan struct{}

	mu        sync.Mutex
	preparing string
	runs      []*tally // the last one goes on
}

func newStage(cfg config) *stage { return &stage{config: cfg, ended: make(chan struct{})} }

func (s *stage) prepare(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.preparing = what
}

func (s *stage) begin(t *tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, t)
}

func (s *stage) end() { close(s.ended) }

// scene returns what there is to see: what is being prepared, or the runs.
func (s *stage) scene() (preparing string, runs []*tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.preparing, s.runs
}
