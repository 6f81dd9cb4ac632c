package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pause stops the processes of the server for a while.
func (s *stage) pause(ctx context.Context, lasting time.Duration) error {
	var folder string
	if err := s.ask(ctx, "show data_directory", &folder); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(folder, "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	postmaster, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	signal := func(sig syscall.Signal) {
		for _, pid := range append(children(postmaster), postmaster) {
			syscall.Kill(pid, sig)
		}
	}
	signal(syscall.SIGSTOP)
	time.Sleep(lasting)
	signal(syscall.SIGCONT)
	return nil
}

// children returns the processes that a process has started.
func children(of int) (pids []int) {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(of), "task", strconv.Itoa(of), "children"))
	for _, field := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
