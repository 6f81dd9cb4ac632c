//go:build unix && !linux

package faults

import "syscall"

// child has a process not get the signals of the terminal.
func child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
